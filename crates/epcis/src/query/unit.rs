//! Units of UN/ECE Recommendation 20 that measure the same.

use std::f64::consts::PI;

/// A code, what it measures, and how to the basic unit: `basic = (value + before) × factor`.
struct Unit(&'static str, Measure, f64, f64);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Measure {
    Mass,
    Temperature,
    Length,
    Area,
    Volume,
    Time,
    Pressure,
    Speed,
    Energy,
    Power,
    Fraction,
    Density,
    Frequency,
    Voltage,
    Current,
    Resistance,
    Force,
    Angle,
    Illuminance,
    Flow,
}

/// The basic unit of a measure comes first. Units whose size depends on where or when they are used
/// (a month, a calorie) are left out.
#[rustfmt::skip]
const UNITS: &[Unit] = &[
    Unit("KGM", Measure::Mass, 0.0, 1.0), Unit("GRM", Measure::Mass, 0.0, 1e-3),
    Unit("MGM", Measure::Mass, 0.0, 1e-6), Unit("MC", Measure::Mass, 0.0, 1e-9),
    Unit("HGM", Measure::Mass, 0.0, 0.1), Unit("DG", Measure::Mass, 0.0, 1e-4),
    Unit("CGM", Measure::Mass, 0.0, 1e-5), Unit("TNE", Measure::Mass, 0.0, 1e3),
    Unit("KTN", Measure::Mass, 0.0, 1e6), Unit("DTN", Measure::Mass, 0.0, 100.0),
    Unit("LBR", Measure::Mass, 0.0, 0.453_592_37),
    Unit("ONZ", Measure::Mass, 0.0, 0.028_349_523_125), Unit("STN", Measure::Mass, 0.0, 907.184_74),
    Unit("LTN", Measure::Mass, 0.0, 1_016.046_908_8),
    Unit("KEL", Measure::Temperature, 0.0, 1.0), Unit("CEL", Measure::Temperature, 273.15, 1.0),
    Unit("FAH", Measure::Temperature, 459.67, 5.0 / 9.0),
    Unit("MTR", Measure::Length, 0.0, 1.0), Unit("DMT", Measure::Length, 0.0, 0.1),
    Unit("CMT", Measure::Length, 0.0, 0.01), Unit("MMT", Measure::Length, 0.0, 1e-3),
    Unit("4H", Measure::Length, 0.0, 1e-6), Unit("C45", Measure::Length, 0.0, 1e-9),
    Unit("HMT", Measure::Length, 0.0, 100.0), Unit("KMT", Measure::Length, 0.0, 1e3),
    Unit("INH", Measure::Length, 0.0, 0.0254), Unit("FOT", Measure::Length, 0.0, 0.3048),
    Unit("YRD", Measure::Length, 0.0, 0.9144), Unit("SMI", Measure::Length, 0.0, 1_609.344),
    Unit("NMI", Measure::Length, 0.0, 1_852.0),
    Unit("MTK", Measure::Area, 0.0, 1.0), Unit("DMK", Measure::Area, 0.0, 0.01),
    Unit("CMK", Measure::Area, 0.0, 1e-4), Unit("MMK", Measure::Area, 0.0, 1e-6),
    Unit("HAR", Measure::Area, 0.0, 1e4), Unit("KMK", Measure::Area, 0.0, 1e6),
    Unit("INK", Measure::Area, 0.0, 6.4516e-4), Unit("FTK", Measure::Area, 0.0, 0.092_903_04),
    Unit("YDK", Measure::Area, 0.0, 0.836_127_36),
    Unit("MTQ", Measure::Volume, 0.0, 1.0), Unit("LTR", Measure::Volume, 0.0, 1e-3),
    Unit("CLT", Measure::Volume, 0.0, 1e-5), Unit("MLT", Measure::Volume, 0.0, 1e-6),
    Unit("4G", Measure::Volume, 0.0, 1e-9), Unit("DLT", Measure::Volume, 0.0, 1e-4),
    Unit("HLT", Measure::Volume, 0.0, 0.1), Unit("MMQ", Measure::Volume, 0.0, 1e-9),
    Unit("CMQ", Measure::Volume, 0.0, 1e-6), Unit("DMQ", Measure::Volume, 0.0, 1e-3),
    Unit("GLL", Measure::Volume, 0.0, 3.785_411_784e-3),
    Unit("GLI", Measure::Volume, 0.0, 4.546_09e-3),
    Unit("INQ", Measure::Volume, 0.0, 1.638_706_4e-5),
    Unit("FTQ", Measure::Volume, 0.0, 0.028_316_846_592),
    Unit("SEC", Measure::Time, 0.0, 1.0), Unit("C26", Measure::Time, 0.0, 1e-3),
    Unit("B98", Measure::Time, 0.0, 1e-6), Unit("MIN", Measure::Time, 0.0, 60.0),
    Unit("HUR", Measure::Time, 0.0, 3600.0), Unit("DAY", Measure::Time, 0.0, 86_400.0),
    Unit("WEE", Measure::Time, 0.0, 604_800.0),
    Unit("PAL", Measure::Pressure, 0.0, 1.0), Unit("A97", Measure::Pressure, 0.0, 100.0),
    Unit("KPA", Measure::Pressure, 0.0, 1e3), Unit("MPA", Measure::Pressure, 0.0, 1e6),
    Unit("BAR", Measure::Pressure, 0.0, 1e5), Unit("MBR", Measure::Pressure, 0.0, 100.0),
    Unit("ATM", Measure::Pressure, 0.0, 101_325.0),
    Unit("MTS", Measure::Speed, 0.0, 1.0), Unit("KMH", Measure::Speed, 0.0, 1.0 / 3.6),
    Unit("KNT", Measure::Speed, 0.0, 1_852.0 / 3_600.0), Unit("HM", Measure::Speed, 0.0, 0.447_04),
    Unit("FS", Measure::Speed, 0.0, 0.3048),
    Unit("JOU", Measure::Energy, 0.0, 1.0), Unit("KJO", Measure::Energy, 0.0, 1e3),
    Unit("3B", Measure::Energy, 0.0, 1e6), Unit("WHR", Measure::Energy, 0.0, 3600.0),
    Unit("KWH", Measure::Energy, 0.0, 3.6e6), Unit("MWH", Measure::Energy, 0.0, 3.6e9),
    Unit("WTT", Measure::Power, 0.0, 1.0), Unit("C31", Measure::Power, 0.0, 1e-3),
    Unit("KWT", Measure::Power, 0.0, 1e3), Unit("MAW", Measure::Power, 0.0, 1e6),
    Unit("C62", Measure::Fraction, 0.0, 1.0), Unit("P1", Measure::Fraction, 0.0, 0.01),
    Unit("NX", Measure::Fraction, 0.0, 1e-3), Unit("59", Measure::Fraction, 0.0, 1e-6),
    Unit("61", Measure::Fraction, 0.0, 1e-9),
    Unit("KMQ", Measure::Density, 0.0, 1.0), Unit("GL", Measure::Density, 0.0, 1.0),
    Unit("23", Measure::Density, 0.0, 1e3), Unit("A93", Measure::Density, 0.0, 1e-3),
    Unit("M1", Measure::Density, 0.0, 1e-3), Unit("GP", Measure::Density, 0.0, 1e-6),
    Unit("GQ", Measure::Density, 0.0, 1e-9),
    Unit("HTZ", Measure::Frequency, 0.0, 1.0), Unit("KHZ", Measure::Frequency, 0.0, 1e3),
    Unit("MHZ", Measure::Frequency, 0.0, 1e6), Unit("A86", Measure::Frequency, 0.0, 1e9),
    Unit("VLT", Measure::Voltage, 0.0, 1.0), Unit("D82", Measure::Voltage, 0.0, 1e-6),
    Unit("2Z", Measure::Voltage, 0.0, 1e-3), Unit("KVT", Measure::Voltage, 0.0, 1e3),
    Unit("AMP", Measure::Current, 0.0, 1.0), Unit("B84", Measure::Current, 0.0, 1e-6),
    Unit("4K", Measure::Current, 0.0, 1e-3), Unit("B22", Measure::Current, 0.0, 1e3),
    Unit("OHM", Measure::Resistance, 0.0, 1.0), Unit("E45", Measure::Resistance, 0.0, 1e-3),
    Unit("B49", Measure::Resistance, 0.0, 1e3), Unit("B75", Measure::Resistance, 0.0, 1e6),
    Unit("NEW", Measure::Force, 0.0, 1.0), Unit("C20", Measure::Force, 0.0, 1e-3),
    Unit("B47", Measure::Force, 0.0, 1e3), Unit("B73", Measure::Force, 0.0, 1e6),
    Unit("C81", Measure::Angle, 0.0, 1.0), Unit("C25", Measure::Angle, 0.0, 1e-3),
    Unit("DD", Measure::Angle, 0.0, PI / 180.0), Unit("D61", Measure::Angle, 0.0, PI / 10_800.0),
    Unit("D62", Measure::Angle, 0.0, PI / 648_000.0),
    Unit("LUX", Measure::Illuminance, 0.0, 1.0), Unit("KLX", Measure::Illuminance, 0.0, 1e3),
    Unit("MQS", Measure::Flow, 0.0, 1.0), Unit("MQH", Measure::Flow, 0.0, 1.0 / 3_600.0),
    Unit("L2", Measure::Flow, 0.0, 1e-3 / 60.0),
];

/// A value in the unit that was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Converted(pub f64);

/// What an amount says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Where on the scale.
    Reading,
    /// How far from another: where the scale begins does not matter.
    Spread,
}

/// Converts between units of the same measure; `None` when they are not, or one is unknown.
pub fn convert(value: f64, of: Amount, from: &str, to: &str) -> Option<Converted> {
    let find = |code: &str| UNITS.iter().find(|Unit(known, ..)| *known == code);
    let (
        Unit(_, from_measure, from_before, from_factor),
        Unit(_, to_measure, to_before, to_factor),
    ) = (find(from)?, find(to)?);
    let same = from_measure == to_measure;
    same.then(|| match of {
        Amount::Reading => Converted((value + from_before) * from_factor / to_factor - to_before),
        Amount::Spread => Converted(value * from_factor / to_factor),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(amount, unit, the same amount, in this unit)`, as laws and tables have them.
    #[rustfmt::skip]
    const KNOWN: [(f64, &str, f64, &str); 34] = [
        (1.0, "KNT", 1.852, "KMH"), (1.0, "HM", 1.609_344, "KMH"), (36.0, "KMH", 10.0, "MTS"),
        (2_000.0, "HTZ", 2.0, "KHZ"), (1.0, "MHZ", 1e6, "HTZ"),
        (1.0, "VLT", 1_000.0, "2Z"), (1.0, "KVT", 1e6, "2Z"), (1.0, "AMP", 1_000.0, "4K"),
        (1.0, "GL", 1.0, "KMQ"), (1.0, "23", 1_000.0, "KMQ"), (1.0, "A93", 1.0, "M1"),
        (1.0, "GP", 1e-6, "GL"), (1.0, "M1", 1e-3, "GL"), (1.0, "GQ", 1e-3, "GP"),
        (1.0, "59", 1_000.0, "61"), (50.0, "P1", 0.5, "C62"), (1.0, "NX", 0.1, "P1"),
        (1.0, "SMI", 1.609_344, "KMT"), (1.0, "NMI", 1_852.0, "MTR"), (1.0, "YRD", 3.0, "FOT"),
        (1.0, "GLL", 3.785_411_784, "LTR"), (1.0, "GLL", 231.0, "INQ"),
        (1.0, "FTQ", 1_728.0, "INQ"), (1.0, "GLI", 4.546_09, "LTR"),
        (1.0, "STN", 907.184_74, "KGM"), (1.0, "LTN", 2_240.0, "LBR"),
        (1.0, "LBR", 16.0, "ONZ"),
        (1_000.0, "NEW", 1.0, "B47"), (180.0, "DD", PI, "C81"), (1.0, "DD", 3_600.0, "D62"),
        (1.0, "DD", 60.0, "D61"), (20.0, "CEL", 68.0, "FAH"), (1.0, "MQH", 1_000.0 / 60.0, "L2"),
        (1.0, "YDK", 9.0, "FTK"),
    ];

    #[test]
    fn amounts_are_the_same_in_either_unit() {
        for (amount, unit, same, other) in KNOWN {
            for (given, from, wanted, to) in
                [(amount, unit, same, other), (same, other, amount, unit)]
            {
                let found = convert(given, Amount::Reading, from, to).expect(from).0;
                let off = (found - wanted).abs() / wanted.abs();
                assert!(off < 1e-12, "{given} {from}: {found}, not {wanted} {to}");
            }
        }
    }

    #[test]
    fn a_code_is_one_unit_and_measures_differ() {
        for (index, Unit(code, ..)) in UNITS.iter().enumerate() {
            assert!(!UNITS[..index].iter().any(|Unit(known, ..)| known == code), "{code}");
        }
        assert_eq!(convert(1.0, Amount::Reading, "KGM", "LTR"), None);
        assert_eq!(convert(1.0, Amount::Reading, "KGM", "XYZ"), None);
    }
}
