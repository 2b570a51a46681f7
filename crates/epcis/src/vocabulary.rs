//! The words of CBV 2.0 (ISO/IEC 19988): each may be written bare, as a Web URI or as a URN.

use std::borrow::Cow;

/// A list of words of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// 业务步骤, §7.1
    BizStep,
    /// 处置状态, §7.2
    Disposition,
    /// 业务单据类型, §7.3
    BizTransactionType,
    /// 来源与去向类型, §7.4
    SourceDestType,
    /// 更正原因, §7.5
    ErrorReason,
    /// 传感测量类型, §7.6
    Measurement,
    /// 传感告警, §7.7
    Alert,
    /// 传感分量, §7.8
    Component,
}

const CBV: &str = "https://ref.gs1.org/cbv/";
const VOC: &str = "https://ref.gs1.org/voc/";
const URN: &str = "urn:epcglobal:cbv:";

impl Vocabulary {
    const URN_LISTS: [Self; 5] = [
        Self::BizStep,
        Self::Disposition,
        Self::BizTransactionType,
        Self::SourceDestType,
        Self::ErrorReason,
    ];

    /// Web URI up to the word.
    fn web(self) -> (&'static str, &'static str) {
        match self {
            Self::BizStep => (CBV, "BizStep-"),
            Self::Disposition => (CBV, "Disp-"),
            Self::BizTransactionType => (CBV, "BTT-"),
            Self::SourceDestType => (CBV, "SDT-"),
            Self::ErrorReason => (CBV, "ER-"),
            Self::Component => (CBV, "Comp-"),
            Self::Measurement | Self::Alert => (VOC, ""),
        }
    }

    /// URN list name of EPCIS 1.2; the lists that came with 2.0 have none.
    fn urn(self) -> Option<&'static str> {
        match self {
            Self::BizStep => Some("bizstep:"),
            Self::Disposition => Some("disp:"),
            Self::BizTransactionType => Some("btt:"),
            Self::SourceDestType => Some("sdt:"),
            Self::ErrorReason => Some("er:"),
            Self::Component | Self::Measurement | Self::Alert => None,
        }
    }

    /// Short name before the colon, as XML and compact JSON-LD write Web URIs.
    fn prefix(self) -> &'static str {
        match self {
            Self::Measurement | Self::Alert => "gs1:",
            _ => "cbv:",
        }
    }

    /// The part after the list's own beginning, when the text has one of its three.
    fn word(self, text: &str) -> Option<&str> {
        let (namespace, list) = self.web();
        let short = || text.strip_prefix(self.prefix()).and_then(|rest| rest.strip_prefix(list));
        let long = || text.strip_prefix(namespace).and_then(|rest| rest.strip_prefix(list));
        let urn = || text.strip_prefix(URN).and_then(|rest| rest.strip_prefix(self.urn()?));
        long().or_else(short).or_else(urn)
    }

    /// Whether the standard has this word.
    pub fn has(self, word: &str) -> bool {
        self.words().contains(&word)
    }

    /// The Web URI of a word however written; anything else stays as it is.
    pub fn expand(self, text: &str) -> Cow<'_, str> {
        let (namespace, list) = self.web();
        match self.word(text) {
            Some(word) => format!("{namespace}{list}{word}").into(),
            None if self.has(text) => format!("{namespace}{list}{text}").into(),
            None => text.into(),
        }
    }

    /// The bare word of the standard however written; anything else stays as it is.
    pub fn compact(self, text: &str) -> &str {
        self.word(text).filter(|word| self.has(word)).unwrap_or(text)
    }

    /// How XML writes it: as URN where EPCIS 1.2 had one, otherwise `gs1:Temperature`.
    pub fn for_xml(self, text: &str) -> Cow<'_, str> {
        let word = self.compact(text);
        match self.urn() {
            _ if !self.has(word) => text.into(),
            Some(list) => format!("{URN}{list}{word}").into(),
            None => format!("{}{}{word}", self.prefix(), self.web().1).into(),
        }
    }

    /// `None` when the text may stand here: a word of the standard, one that an earlier edition had
    /// and that is written with its list, or a URI of somebody's own.
    pub(crate) fn refuses(self, text: &str) -> Option<String> {
        match self.word(text) {
            Some(word) if self.has(word) || self.former().contains(&word) => None,
            // `gs1:` is the namespace of the whole GS1 Web Vocabulary, no list of its own.
            Some(_) if self.web().1.is_empty() && crate::check::is_uri(text) => None,
            Some(word) => Some(format!("标准中没有 {word} 这个词")),
            None if self.has(text) => None,
            None if text.starts_with(URN) => Some(String::from("应为本字段的标准词")),
            None if crate::check::is_uri(text) => None,
            None => Some(String::from("应为标准词（如 shipping 一类的英文词）或自定义的 URI")),
        }
    }

    /// Words of CBV 1.x that CBV 2.0 has no more. Documents of those editions may hold them,
    /// and so may whoever sends one of 2.0 by their URI; they have no bare form.
    fn former(self) -> &'static [&'static str] {
        if self == Self::Disposition { &FORMER_DISPOSITIONS } else { &[] }
    }

    /// The words of the standard.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::BizStep => &BIZ_STEPS,
            Self::Disposition => &DISPOSITIONS,
            Self::BizTransactionType => &[
                "bol",
                "cert",
                "desadv",
                "inv",
                "pedigree",
                "po",
                "poc",
                "prodorder",
                "recadv",
                "rma",
                "testprd",
                "testres",
                "upevt",
            ],
            Self::SourceDestType => &["owning_party", "possessing_party", "location"],
            Self::ErrorReason => &["did_not_occur", "incorrect_data"],
            Self::Measurement => &MEASUREMENTS,
            Self::Alert => &["ALARM_CONDITION", "ERROR_CONDITION"],
            Self::Component => &[
                "x",
                "y",
                "z",
                "axial_distance",
                "azimuth",
                "height",
                "spherical_radius",
                "polar_angle",
                "elevation_angle",
                "easting",
                "northing",
                "latitude",
                "longitude",
                "altitude",
            ],
        }
    }
}

/// The Web URI of a URN of any list, wherever it stands.
pub(crate) fn from_urn(text: &str) -> Option<String> {
    let rest = text.strip_prefix(URN)?;
    Vocabulary::URN_LISTS.into_iter().find_map(|list| {
        let (namespace, name) = list.web();
        Some(format!("{namespace}{name}{}", rest.strip_prefix(list.urn()?)?))
    })
}

#[rustfmt::skip]
const BIZ_STEPS: [&str; 41] = [
    "accepting", "arriving", "assembling", "collecting", "commissioning", "consigning",
    "creating_class_instance", "cycle_counting", "decommissioning", "departing", "destroying",
    "disassembling", "dispensing", "encoding", "entering_exiting", "holding", "inspecting",
    "installing", "killing", "loading", "other", "packing", "picking", "receiving", "removing",
    "repackaging", "repairing", "replacing", "reserving", "retail_selling", "sampling",
    "sensor_reporting", "shipping", "staging_outbound", "stock_taking", "stocking", "storing",
    "transporting", "unloading", "unpacking", "void_shipping",
];

#[rustfmt::skip]
const DISPOSITIONS: [&str; 33] = [
    "active", "available", "completeness_inferred", "completeness_verified", "conformant",
    "container_closed", "container_open", "damaged", "destroyed", "dispensed", "disposed",
    "encoded", "expired", "in_progress", "in_transit", "inactive", "mismatch_class",
    "mismatch_instance", "mismatch_quantity", "needs_replacement", "no_pedigree_match",
    "non_conformant", "non_sellable_other", "partially_dispensed", "recalled", "reserved",
    "retail_sold", "returned", "sellable_accessible", "sellable_not_accessible", "stolen",
    "unavailable", "unknown",
];

/// Deprecated in CBV 1.1 and 1.2 §7.2 in favour of `damaged`, `disposed`, `expired`,
/// `no_pedigree_match` and `recalled`.
const FORMER_DISPOSITIONS: [&str; 5] = [
    "non_sellable_damaged",
    "non_sellable_disposed",
    "non_sellable_expired",
    "non_sellable_no_pedigree_match",
    "non_sellable_recalled",
];

#[rustfmt::skip]
const MEASUREMENTS: [&str; 72] = [
    "AbsoluteHumidity", "AbsorbedDose", "AbsorbedDoseRate", "Acceleration", "Altitude",
    "AmountOfSubstance", "AmountOfSubstancePerUnitVolume", "Angle", "AngularAcceleration",
    "AngularMomentum", "AngularVelocity", "Area", "Capacitance", "Conductance", "Conductivity",
    "Count", "Density", "Dimensionless", "DoseEquivalent", "DoseEquivalentRate",
    "DynamicViscosity", "ElectricCharge", "ElectricCurrent", "ElectricCurrentDensity",
    "ElectricFieldStrength", "Energy", "Exposure", "Force", "Frequency", "Illuminance",
    "Inductance", "Irradiance", "KinematicViscosity", "Length", "LinearMomentum", "Luminance",
    "LuminousFlux", "LuminousIntensity", "MagneticFlux", "MagneticFluxDensity",
    "MagneticVectorPotential", "Mass", "MassConcentration", "MassFlowRate", "MassPerAreaTime",
    "MemoryCapacity", "MolalityOfSolute", "MolarEnergy", "MolarMass", "MolarVolume", "Power",
    "Pressure", "RadiantFlux", "RadiantIntensity", "Radioactivity", "RelativeHumidity",
    "Resistance", "Resistivity", "SolidAngle", "SpecificVolume", "Speed", "SurfaceDensity",
    "SurfaceTension", "Temperature", "Time", "Torque", "Voltage", "Volume", "VolumeFlowRate",
    "VolumeFraction", "VolumetricFlux", "Wavenumber",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_three_spellings() {
        let step = Vocabulary::BizStep;
        let web = "https://ref.gs1.org/cbv/BizStep-departing";
        for text in
            ["departing", web, "urn:epcglobal:cbv:bizstep:departing", "cbv:BizStep-departing"]
        {
            assert_eq!(step.expand(text), web);
            assert_eq!(step.compact(text), "departing");
            assert_eq!(step.for_xml(text), "urn:epcglobal:cbv:bizstep:departing");
            assert_eq!(step.refuses(text), None);
        }
        assert_eq!(Vocabulary::Measurement.for_xml("Temperature"), "gs1:Temperature");
        assert_eq!(Vocabulary::Component.for_xml("x"), "cbv:Comp-x");
        assert_eq!(Vocabulary::Component.expand("cbv:Comp-x"), "https://ref.gs1.org/cbv/Comp-x");
        assert_eq!(from_urn("urn:epcglobal:cbv:er:x").unwrap(), "https://ref.gs1.org/cbv/ER-x");
        assert_eq!(from_urn("urn:epcglobal:cbv:bt:1:2"), None);
    }

    #[test]
    fn words_of_earlier_editions_and_of_the_web_vocabulary_stay_as_they_are() {
        let list = Vocabulary::Disposition;
        for word in FORMER_DISPOSITIONS {
            let urn = format!("urn:epcglobal:cbv:disp:{word}");
            let web = format!("https://ref.gs1.org/cbv/Disp-{word}");
            assert_eq!((list.refuses(&urn), list.refuses(&web)), (None, None), "{word}");
            assert_eq!((list.compact(&urn), &*list.for_xml(&urn)), (&*urn, &*urn));
            assert_eq!(list.expand(&urn), web, "one word for those who ask");
            assert!(list.refuses(word).is_some(), "{word} has no bare form");
        }
        let kind = Vocabulary::Measurement;
        for text in ["gs1:MT-Temperature", "https://ref.gs1.org/voc/AT-Alarm_condition"] {
            assert_eq!((kind.refuses(text), kind.compact(text)), (None, text));
        }
        assert_eq!(kind.expand("gs1:MT-Speed"), "https://ref.gs1.org/voc/MT-Speed");
        assert!(kind.refuses("MT-Temperature").is_some() && kind.refuses("gs1:").is_some());
    }

    #[test]
    fn own_words_are_uris_and_stay() {
        let own = "https://example.com/steps/drying";
        assert_eq!(Vocabulary::BizStep.refuses(own), None);
        assert_eq!(Vocabulary::BizStep.expand(own), own);
        for text in [
            "drying",
            "urn:epcglobal:cbv:bizstep:drying",
            "urn:epcglobal:cbv:disp:active",
            "https://ref.gs1.org/cbv/BizStep-drying",
            "",
        ] {
            assert!(Vocabulary::BizStep.refuses(text).is_some(), "{text}");
        }
    }
}
