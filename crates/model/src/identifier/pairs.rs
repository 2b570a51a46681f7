//! Which application identifiers may not stand together, and which say something only of what
//! others name (GS1 General Specifications §4.13.1, §4.13.2; the same as `ex` and `req` of GS1's
//! Barcode Syntax Dictionary). An `n` in a number stands for any digit.

use super::ai::by_number;
use crate::Rejected;

/// Pairs that are invalid: any of the first with any of the second.
const APART: &[(&[&str], &[&str])] = &[
    (&["01"], &["02", "03", "37", "255", "8006"]),
    (&["02"], &["03", "255", "8026"]),
    (&["03"], &["37"]),
    (&["21"], &["235"]),
    (&["255"], &["415", "8006", "8020", "8026"]),
    (&["37"], &["8006"]),
    (&["390n"], &["391n", "394n", "8111"]),
    (&["392n"], &["393n", "395n"]),
    (&["393n"], &["395n"]),
    (&["394n"], &["8111"]),
    (&["395n"], &["8005"]),
    (&["420"], &["421"]),
    (&["421"], &["4307"]),
    (&["422", "423", "424", "425"], &["426"]),
    (&["4330"], &["4331"]),
    (&["4332"], &["4333"]),
    (&["7250"], &["7251"]),
    (&["7253", "7254", "7255"], &["7256", "7259"]),
    (&["7256"], &["7259"]),
    (&["8006"], &["8026"]),
    (&["8017"], &["8018"]),
];

/// Measures and amounts, of which one place of the decimal point may be told.
const DECIMAL: [&str; 7] = ["31nn", "32nn", "33nn", "34nn", "35nn", "36nn", "39nn"];

type Needs = (&'static [&'static str], &'static [&'static str]);

const ITEM: &[&str] = &["01", "02"];
const ITEM_OR_UNIT: &[&str] = &["00", "01"];
const CONTENT: &[&str] = &["01", "02", "8006", "8026"];
const BATCH: &[&str] = &["01", "02", "03", "8006", "8026"];
const PIECE: &[&str] = &["01", "8006"];
const MEASURED: &[&str] = &["30", "31nn", "32nn", "35nn", "36nn"];
const SERVICE: &[&str] = &["8017", "8018"];

/// What needs one of others; `+` joins those that are needed at once. Of several rows of a number
/// all hold.
const TOGETHER: &[Needs] = &[
    (&["02"], &["37"]),
    (&["37"], &["02", "8026"]),
    (&["37"], &["00"]),
    (&["10", "11", "13", "15", "16"], BATCH),
    (&["12"], &["8020"]),
    (&["17"], &["01", "02", "03", "255", "8006", "8026"]),
    (&["20", "240", "241", "242", "422", "7001"], CONTENT),
    (&["21"], &["01", "03", "8006"]),
    (&["22"], &["01", "8006"]),
    (&["235", "243", "71n", "8001", "8014", "8200"], &["01"]),
    (&["250", "251", "7020", "7021", "7240", "8012"], PIECE),
    (&["250"], &["21"]),
    (&["254"], &["414"]),
    (&["30", "423", "424", "425", "426", "427"], ITEM),
    (&["427"], &["422"]),
    (&["31nn", "32nn", "350n", "351n", "352n", "356n", "357n"], ITEM),
    (&["360n", "361n", "364n", "365n", "366n"], ITEM),
    (&["330n", "331n", "332n", "333n", "334n", "335n", "336n", "34nn"], ITEM_OR_UNIT),
    (&["353n", "354n", "355n", "362n", "363n", "367n", "368n", "369n"], ITEM_OR_UNIT),
    (&["337n"], &["01"]),
    (&["390n"], &["255", "8020"]),
    (&["391n"], &["8020"]),
    (&["392n"], &["01"]),
    (&["392n", "393n", "395n"], MEASURED),
    (&["394n", "8111"], &["255"]),
    (&["403", "43nn", "7041"], &["00"]),
    (&["4303"], &["4302"]),
    (&["4313"], &["4312"]),
    (&["415"], &["8020"]),
    (&["8020", "8007"], &["415"]),
    (&["7002", "7003", "7005", "7006", "7007", "7008", "7009", "7010", "7011"], ITEM),
    (&["703n", "8005", "8008"], ITEM),
    (&["7004"], &["01"]),
    (&["7004"], &["10"]),
    (&["7020"], &["416"]),
    (&["7022"], &["7021"]),
    (&["723n"], &["01", "8004"]),
    (&["7241", "7242", "7253", "7254", "7255", "7256", "8019"], SERVICE),
    (&["7250", "7251", "7252", "7257", "7259"], &["8018"]),
    (&["7258"], &["8018+7259"]),
    (&["8009"], ITEM_OR_UNIT),
    (&["8011"], &["8010"]),
    (&["8026"], &["37"]),
    (
        &["8030"],
        &["00", "01+21", "253", "255", "8003", "8004", "8006+21", "8010+8011", "8017", "8018"],
    ),
];

/// Whether a number is one of a pattern's.
fn fits(pattern: &str, number: &str) -> bool {
    pattern.len() == number.len()
        && pattern.bytes().zip(number.bytes()).all(|(want, is)| want == b'n' || want == is)
}

fn fits_any(patterns: &[&str], number: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, number))
}

/// Whether the numbers of one text may stand together and have what they need.
pub(super) fn check(numbers: &[&str]) -> Result<(), Rejected> {
    for (at, one) in numbers.iter().enumerate() {
        if let Some(other) = numbers[at + 1..].iter().find(|other| are_apart(one, other)) {
            return Err(Rejected(format!("（{one}）与（{other}）不能同时使用")));
        }
    }
    let has = |group: &str| {
        group.split('+').all(|wanted| numbers.iter().any(|number| fits(wanted, number)))
    };
    for number in numbers {
        let mut needs = TOGETHER.iter().filter(|(ones, _)| fits_any(ones, number));
        if let Some((_, others)) = needs.find(|(_, others)| !others.iter().any(|o| has(o))) {
            let label = by_number(number).map_or("", |ai| ai.label);
            let others: Vec<String> = others
                .iter()
                .map(|other| format!("（{}）", other.replace('+', "）和（")))
                .collect();
            return Err(Rejected(format!(
                "（{number}）{label}应与 {} 一起使用",
                others.join("或")
            )));
        }
    }
    Ok(())
}

fn are_apart(one: &str, other: &str) -> bool {
    let pair = |(ones, others): &(&[&str], &[&str])| {
        (fits_any(ones, one) && fits_any(others, other))
            || (fits_any(ones, other) && fits_any(others, one))
    };
    let same_measure = fits_any(&DECIMAL, one) && one != other && other.starts_with(&one[..3]);
    same_measure || APART.iter().any(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gs1_4_13_every_pattern_is_of_a_number_that_there_is() {
        let known = |pattern: &str| {
            let digits = b'0'..=b'9';
            pattern.split('+').all(|pattern| {
                let of = |digit: u8| pattern.replace('n', &char::from(digit).to_string());
                digits.clone().any(|digit| by_number(&of(digit)).is_some())
            })
        };
        for (ones, others) in APART.iter().chain(TOGETHER) {
            for pattern in ones.iter().chain(*others) {
                assert!(known(pattern), "{pattern}");
            }
        }
    }

    #[test]
    fn gs1_4_13_1_pairs_that_are_invalid_are_refused_in_either_order() {
        let said = |numbers: &[&str]| check(numbers).unwrap_err().to_string();
        for (one, other) in [
            ("01", "02"),
            ("01", "37"),
            ("01", "255"),
            ("21", "235"),
            ("3102", "3103"),
            ("3920", "3921"),
            ("3925", "3930"),
            ("3940", "8111"),
            ("425", "426"),
            ("421", "4307"),
            ("4330", "4331"),
            ("7250", "7251"),
            ("7253", "7259"),
            ("8006", "8026"),
            ("8017", "8018"),
        ] {
            assert!(said(&[one, other]).contains("不能同时使用"), "{one} {other}");
            assert!(said(&[other, one]).contains("不能同时使用"), "{other} {one}");
        }
        for sound in [["3103", "3113"], ["7030", "7031"], ["91", "92"], ["422", "423"]] {
            assert!(!are_apart(sound[0], sound[1]), "{sound:?}");
        }
    }

    #[test]
    fn gs1_4_13_2_what_needs_another_is_refused_alone() {
        for (alone, with) in [
            (&["00", "02"][..], &["00", "02", "37"][..]),
            (&["02", "37"], &["00", "02", "37"]),
            (&["00", "10"], &["01", "10"]),
            (&["414", "17"], &["01", "17"]),
            (&["01", "250"], &["01", "21", "250"]),
            (&["01", "3922"], &["01", "3922", "3103"]),
            (&["01", "7004"], &["01", "10", "7004"]),
            (&["01", "427"], &["01", "422", "427"]),
            (&["01", "403"], &["00", "403"]),
            (&["00", "4303"], &["00", "4302", "4303"]),
            (&["415"], &["415", "8020"]),
            (&["01", "7022"], &["01", "7021", "7022"]),
            (&["8018", "7258"], &["8018", "7258", "7259"]),
            (&["01", "8030"], &["01", "21", "8030"]),
            (&["255", "3900", "12"], &["255", "3900"]),
        ] {
            assert!(check(alone).unwrap_err().to_string().contains("一起使用"), "{alone:?}");
            assert_eq!(check(with), Ok(()), "{with:?}");
        }
    }
}
