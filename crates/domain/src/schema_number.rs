//! Bounds of decimals that are sent as text, as regular expressions: JSON Schema knows bounds of
//! numbers only. The forms are the canonical ones, without leading zeros.

use yj_model::Quantity;

/// Whole digits and places of a [`Quantity`].
const WHOLE_MAX: usize = 11;
const PLACES: usize = 4;

const ANY: &str = r"(0|[1-9][0-9]{0,10})(\.[0-9]{1,4})?";

/// The form of a decimal that is not smaller than this.
pub(crate) fn at_least(min: Quantity) -> String {
    let (whole, places) = digits(min);
    if min.scaled() < 0 {
        format!("^({ANY}|-({}))$", upwards_to(&whole, &places))
    } else if min == Quantity::ZERO {
        format!("^{ANY}$")
    } else {
        format!("^({})$", from(&whole, &places))
    }
}

/// The form of a decimal that is not larger than this.
pub(crate) fn at_most(max: Quantity) -> String {
    let (whole, places) = digits(max);
    if max.scaled() < 0 {
        format!("^-({})$", from(&whole, &places))
    } else {
        format!("^({}|-{ANY})$", upwards_to(&whole, &places))
    }
}

/// The form of any decimal.
pub(crate) fn unbounded() -> String {
    format!("^-?{ANY}$")
}

/// The form of a test result, without anchors: a number, a bound, or 未检出.
pub(crate) fn result(may_be_negative: bool) -> String {
    let sign = if may_be_negative { "-?" } else { "" };
    format!(
        "{sign}{ANY}|(<|<=|≤|>|>=|≥) ?{ANY}|<(LOD|LOQ|检出限|定量限)|\
         (ND|N[.]D[.]|未检出)([(（](<|检出限 ?|LOD ?)?{ANY}[)）])?"
    )
}

/// The form of a decimal above nothing.
pub(crate) fn positive() -> String {
    let least = Quantity::from_scaled(1).unwrap_or_default();
    at_least(least)
}

/// The digits before the point and the four after it, without sign.
fn digits(number: Quantity) -> (String, String) {
    let scaled = number.scaled().unsigned_abs();
    ((scaled / 10_000).to_string(), format!("{:04}", scaled % 10_000))
}

/// Decimals without sign up to this one.
fn upwards_to(whole: &str, places: &str) -> String {
    let mut branches = smaller(whole);
    for branch in &mut branches {
        branch.push_str(r"(\.[0-9]{1,4})?");
    }
    let mut fractions: Vec<String> = Vec::new();
    for at in 0..PLACES {
        let digit = digit(places, at);
        if digit > 0 {
            let rest = at_most_digits(PLACES - 1 - at);
            fractions.push(format!("{}{}{rest}", &places[..at], span(0, digit - 1)));
        }
        fractions.push(String::from(&places[..=at]));
    }
    branches.push(format!(r"{whole}(\.({}))?", fractions.join("|")));
    branches.join("|")
}

/// Decimals without sign from this one on.
fn from(whole: &str, places: &str) -> String {
    let mut branches = larger(whole);
    for branch in &mut branches {
        branch.push_str(r"(\.[0-9]{1,4})?");
    }
    let trimmed = places.trim_end_matches('0');
    let mut fractions: Vec<String> = Vec::new();
    for at in 0..PLACES {
        let digit = digit(places, at);
        if digit < 9 {
            let rest = at_most_digits(PLACES - 1 - at);
            fractions.push(format!("{}{}{rest}", &places[..at], span(digit + 1, 9)));
        }
        if at + 1 >= trimmed.len() {
            fractions.push(String::from(&places[..=at]));
        }
    }
    let may_end = if trimmed.is_empty() { "?" } else { "" };
    branches.push(format!(r"{whole}(\.({})){may_end}", fractions.join("|")));
    branches.join("|")
}

/// Whole numbers below this one.
fn smaller(whole: &str) -> Vec<String> {
    let mut branches = Vec::new();
    if whole.len() > 1 {
        branches.push(String::from("0"));
        branches.push(format!("[1-9]{}", at_most_digits(whole.len() - 2)));
    }
    for at in 0..whole.len() {
        let lowest = u8::from(at == 0 && whole.len() > 1);
        if digit(whole, at) > lowest {
            let rest = exactly_digits(whole.len() - 1 - at);
            branches.push(format!("{}{}{rest}", &whole[..at], span(lowest, digit(whole, at) - 1)));
        }
    }
    branches
}

/// Whole numbers above this one.
fn larger(whole: &str) -> Vec<String> {
    let mut branches = Vec::new();
    if whole.len() < WHOLE_MAX {
        branches.push(format!("[1-9][0-9]{{{},{}}}", whole.len(), WHOLE_MAX - 1));
    }
    for at in 0..whole.len() {
        if digit(whole, at) < 9 {
            let rest = exactly_digits(whole.len() - 1 - at);
            branches.push(format!("{}{}{rest}", &whole[..at], span(digit(whole, at) + 1, 9)));
        }
    }
    branches
}

fn digit(text: &str, at: usize) -> u8 {
    text.as_bytes()[at] - b'0'
}

fn span(low: u8, high: u8) -> String {
    if low == high { low.to_string() } else { format!("[{low}-{high}]") }
}

fn exactly_digits(count: usize) -> String {
    if count == 0 { String::new() } else { format!("[0-9]{{{count}}}") }
}

fn at_most_digits(count: usize) -> String {
    if count == 0 { String::new() } else { format!("[0-9]{{0,{count}}}") }
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    use super::*;

    const NUMBERS: [&str; 24] = [
        "0",
        "0.0001",
        "0.01",
        "0.5",
        "0.9999",
        "1",
        "1.05",
        "2",
        "7.5",
        "8",
        "9",
        "9.9",
        "10",
        "12.5",
        "19.99",
        "99",
        "100",
        "100.01",
        "365",
        "1000",
        "99999",
        "100000",
        "12345678901.9999",
        "99999999999.9999",
    ];

    /// Every number with both signs, and with zeros at its end.
    fn forms() -> Vec<(Quantity, String)> {
        let mut forms = Vec::new();
        for text in NUMBERS {
            let zeros = if text.contains('.') { "0" } else { ".0" };
            let places = text.split_once('.').map_or(0, |(_, places)| places.len());
            for text in [String::from(text), format!("{text}{zeros}")] {
                if places == PLACES && text.ends_with('0') {
                    continue;
                }
                for text in [text.clone(), format!("-{text}")] {
                    forms.push((text.parse().unwrap(), text));
                }
            }
        }
        forms
    }

    #[test]
    fn the_form_says_what_the_comparison_says() {
        for (bound, written) in forms() {
            let (low, high) = (at_least(bound), at_most(bound));
            let (low, high) = (Regex::new(&low).unwrap(), Regex::new(&high).unwrap());
            for (number, text) in forms() {
                let negative_nothing = number == Quantity::ZERO && text.starts_with('-');
                if negative_nothing {
                    continue;
                }
                assert_eq!(low.is_match(&text), number >= bound, "{text} ≥ {written}: {low}");
                assert_eq!(high.is_match(&text), number <= bound, "{text} ≤ {written}: {high}");
            }
        }
        let free = Regex::new(&unbounded()).unwrap();
        assert!(forms().iter().all(|(_, text)| free.is_match(text)));
        for wrong in ["", "01", "1.", ".5", "1e3", "1.00000", "+1", "123456789012"] {
            assert!(!free.is_match(wrong), "{wrong}");
            assert!(
                wrong.is_empty() || !Regex::new(&positive()).unwrap().is_match(wrong),
                "{wrong}"
            );
        }
    }
}
