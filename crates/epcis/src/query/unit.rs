//! Units of UN/ECE Recommendation 20 that measure the same.

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
}

#[rustfmt::skip]
const UNITS: [Unit; 58] = [
    Unit("KGM", Measure::Mass, 0.0, 1.0), Unit("GRM", Measure::Mass, 0.0, 1e-3),
    Unit("MGM", Measure::Mass, 0.0, 1e-6), Unit("MC", Measure::Mass, 0.0, 1e-9),
    Unit("TNE", Measure::Mass, 0.0, 1e3), Unit("DTN", Measure::Mass, 0.0, 100.0),
    Unit("LBR", Measure::Mass, 0.0, 0.453_592_37), Unit("ONZ", Measure::Mass, 0.0, 0.028_349_523_125),
    Unit("KEL", Measure::Temperature, 0.0, 1.0), Unit("CEL", Measure::Temperature, 273.15, 1.0),
    Unit("FAH", Measure::Temperature, 459.67, 5.0 / 9.0),
    Unit("MTR", Measure::Length, 0.0, 1.0), Unit("DMT", Measure::Length, 0.0, 0.1),
    Unit("CMT", Measure::Length, 0.0, 0.01), Unit("MMT", Measure::Length, 0.0, 1e-3),
    Unit("4H", Measure::Length, 0.0, 1e-6), Unit("KMT", Measure::Length, 0.0, 1e3),
    Unit("INH", Measure::Length, 0.0, 0.0254), Unit("FOT", Measure::Length, 0.0, 0.3048),
    Unit("YRD", Measure::Length, 0.0, 0.9144),
    Unit("MTK", Measure::Area, 0.0, 1.0), Unit("CMK", Measure::Area, 0.0, 1e-4),
    Unit("HAR", Measure::Area, 0.0, 1e4), Unit("KMK", Measure::Area, 0.0, 1e6),
    Unit("MTQ", Measure::Volume, 0.0, 1.0), Unit("LTR", Measure::Volume, 0.0, 1e-3),
    Unit("CLT", Measure::Volume, 0.0, 1e-5), Unit("MLT", Measure::Volume, 0.0, 1e-6),
    Unit("DLT", Measure::Volume, 0.0, 1e-4), Unit("HLT", Measure::Volume, 0.0, 0.1),
    Unit("CMQ", Measure::Volume, 0.0, 1e-6), Unit("DMQ", Measure::Volume, 0.0, 1e-3),
    Unit("SEC", Measure::Time, 0.0, 1.0), Unit("C26", Measure::Time, 0.0, 1e-3),
    Unit("MIN", Measure::Time, 0.0, 60.0), Unit("HUR", Measure::Time, 0.0, 3600.0),
    Unit("DAY", Measure::Time, 0.0, 86_400.0), Unit("WEE", Measure::Time, 0.0, 604_800.0),
    Unit("PAL", Measure::Pressure, 0.0, 1.0), Unit("A97", Measure::Pressure, 0.0, 100.0),
    Unit("KPA", Measure::Pressure, 0.0, 1e3), Unit("MPA", Measure::Pressure, 0.0, 1e6),
    Unit("BAR", Measure::Pressure, 0.0, 1e5), Unit("MBR", Measure::Pressure, 0.0, 100.0),
    Unit("ATM", Measure::Pressure, 0.0, 101_325.0),
    Unit("MTS", Measure::Speed, 0.0, 1.0), Unit("KMH", Measure::Speed, 0.0, 1.0 / 3.6),
    Unit("JOU", Measure::Energy, 0.0, 1.0), Unit("KJO", Measure::Energy, 0.0, 1e3),
    Unit("KWH", Measure::Energy, 0.0, 3.6e6), Unit("WHR", Measure::Energy, 0.0, 3600.0),
    Unit("WTT", Measure::Power, 0.0, 1.0), Unit("KWT", Measure::Power, 0.0, 1e3),
    Unit("C62", Measure::Fraction, 0.0, 1.0), Unit("P1", Measure::Fraction, 0.0, 0.01),
    Unit("59", Measure::Fraction, 0.0, 1e-6),
    Unit("A93", Measure::Density, 0.0, 1e-3), Unit("KMQ", Measure::Density, 0.0, 1.0),
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
