//! Compressed Digital Links (GS1 Digital Link: URI compression): numbers and values as bits, six of them
//! a letter. They are read and never written. A pair that is not of GS1 is not read.

use super::{
    ai::{AIS, Ai, by_number},
    ai_value::{self, Part},
};
use crate::Rejected;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn refuse<T>(sentence: impl Into<String>) -> Result<T, Rejected> {
    Err(Rejected::new(sentence))
}

/// Bits that are read one after the other.
struct Bits {
    all: Vec<bool>,
    at: usize,
}

impl Bits {
    fn of(text: &str) -> Option<Self> {
        let mut all = Vec::with_capacity(text.len() * 6);
        for byte in text.bytes() {
            let value = LETTERS.iter().position(|known| *known == byte)?;
            all.extend((0..6).rev().map(|bit| value >> bit & 1 == 1));
        }
        Some(Self { all, at: 0 })
    }

    fn left(&self) -> usize {
        self.all.len() - self.at
    }

    fn take(&mut self, count: usize) -> Result<&[bool], Rejected> {
        if count > self.left() {
            return refuse("在一个取值中间断了");
        }
        self.at += count;
        Ok(&self.all[self.at - count..self.at])
    }

    /// A small number.
    fn number(&mut self, count: usize) -> Result<usize, Rejected> {
        Ok(self.take(count)?.iter().fold(0, |sum, bit| sum * 2 + usize::from(*bit)))
    }

    /// A number of so many digits, however many they are.
    fn digits(&mut self, count: usize) -> Result<String, Rejected> {
        let mut digits = vec![0_u8; count];
        for bit in self.take(bits_of_digits(count))? {
            let mut carried = u8::from(*bit);
            for digit in digits.iter_mut().rev() {
                let double = *digit * 2 + carried;
                (*digit, carried) = (double % 10, double / 10);
            }
            if carried > 0 {
                return refuse("其中一个数的位数过多");
            }
        }
        Ok(digits.into_iter().map(|digit| char::from(b'0' + digit)).collect())
    }

    /// Text in one of five ways of writing it.
    fn text(&mut self, way: usize, count: usize) -> Result<String, Rejected> {
        let (width, letters): (usize, &[u8]) = match way {
            0 => return self.digits(count),
            1 => (4, b"0123456789abcdef"),
            2 => (4, b"0123456789ABCDEF"),
            3 => (6, LETTERS),
            4 => (7, &[]),
            _ => return refuse("其中有不认识的写法"),
        };
        (0..count)
            .map(|_| {
                let value = self.number(width)?;
                let letter = letters.get(value).copied().map(char::from);
                Ok(letter.or_else(|| u8::try_from(value).ok().map(char::from)).unwrap_or_default())
            })
            .collect()
    }
}

/// Bits that so many digits take: as the toolkit of GS1 reckons, with something to spare.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "counts of at most a hundred letters"
)]
fn bits_of_digits(count: usize) -> usize {
    (count as f64 * std::f64::consts::LOG2_10 + 0.01).ceil() as usize
}

/// Bits that a length takes which is at most so much.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "counts of at most a hundred letters"
)]
fn bits_of_length(most: usize) -> usize {
    ((most as f64).log2() + 0.01).ceil() as usize
}

/// A part of a value as it was compressed.
#[derive(Clone, Copy)]
enum Piece {
    /// So many digits.
    Digits(usize),
    /// At most so many digits.
    DigitsUpTo(usize),
    /// So many letters.
    Letters(usize),
    /// At most so many letters.
    LettersUpTo(usize),
}

impl Piece {
    fn read(self, bits: &mut Bits) -> Result<String, Rejected> {
        let within = |count: usize, most: usize| {
            if count <= most { Ok(count) } else { refuse("其中一个取值过长") }
        };
        match self {
            Self::Digits(count) => bits.digits(count),
            Self::DigitsUpTo(most) => {
                let count = within(bits.number(bits_of_length(most))?, most)?;
                bits.digits(count)
            }
            Self::Letters(count) => {
                let way = bits.number(3)?;
                bits.text(way, count)
            }
            Self::LettersUpTo(most) => {
                let way = bits.number(3)?;
                let count = within(bits.number(bits_of_length(most))?, most)?;
                bits.text(way, count)
            }
        }
    }
}

/// How the value of a number is divided; most are not.
fn pieces(number: &str, ai: &Ai) -> Vec<Piece> {
    use Piece::{Digits, DigitsUpTo, Letters, LettersUpTo};
    match number {
        "253" => vec![Digits(13), LettersUpTo(17)],
        "255" => vec![Digits(13), DigitsUpTo(12)],
        "421" => vec![Digits(3), LettersUpTo(9)],
        "7007" => vec![Digits(6), DigitsUpTo(6)],
        "7040" => vec![Digits(1), Letters(3)],
        "8003" => vec![Digits(14), LettersUpTo(16)],
        "8008" => vec![Digits(8), DigitsUpTo(4)],
        _ if number.starts_with("703") => vec![Digits(3), LettersUpTo(27)],
        _ if number.starts_with("391") || number.starts_with("393") => {
            vec![Digits(3), DigitsUpTo(15)]
        }
        _ => {
            let (least, most) = ai.form.iter().fold((0, 0), |(least, most), part| {
                (least + part.shortest(), most + part.longest())
            });
            vec![match (ai.form.iter().all(Part::is_digits), least == most) {
                (true, true) => Digits(most),
                (true, false) => DigitsUpTo(most),
                (false, true) => Letters(most),
                (false, false) => LettersUpTo(most),
            }]
        }
    }
}

/// 优化码: numbers that often come together and have one of two digits in common, of which at least one
/// is a letter.
fn together(code: usize) -> Option<Vec<String>> {
    let all = |numbers: &[&str]| Some(numbers.iter().copied().map(String::from).collect());
    let counted = |key: &str, stem: &str, from: usize| {
        Some(vec![String::from(key), format!("{stem}{}", code - from)])
    };
    match code {
        0x0A => all(&["01", "22"]),
        0x0B => all(&["01", "10"]),
        0x0C => all(&["01", "21"]),
        0x0D => all(&["01", "17"]),
        0x0E => all(&["01", "7003"]),
        0x0F => all(&["01", "30"]),
        0x1A => all(&["01", "10", "21", "17"]),
        0x1B => all(&["01", "15"]),
        0x1C => all(&["01", "11"]),
        0x1D => all(&["01", "16"]),
        0x1E => all(&["01", "91"]),
        0x1F => all(&["01", "10", "15"]),
        0x2A..=0x2F => counted("01", "310", 0x2A),
        0x3A..=0x3F => counted("01", "320", 0x3A),
        0x9A => all(&["8010", "8011"]),
        0x9B => all(&["8017", "8019"]),
        0x9C => all(&["8018", "8019"]),
        0x9D => all(&["414", "254"]),
        0xA0..=0xA9 => counted("01", "392", 0xA0),
        0xC0..=0xC9 => counted("255", "390", 0xC0),
        0xCA..=0xCD => counted("255", "394", 0xCA),
        _ => None,
    }
}

/// The first digit of what is not of GS1.
const FOREIGN: usize = 0xF;

/// Whether two digits begin a compressed link: those of a number, of several that come together, or of
/// what is not of GS1.
pub(super) fn begins(first: usize, second: usize) -> bool {
    let digits = format!("{first}{second}");
    first == FOREIGN
        || first.max(second) < 10 && AIS.iter().any(|ai| ai.number.starts_with(&digits))
        || together(first << 4 | second).is_some()
}

/// The numbers of the next values.
fn numbers(bits: &mut Bits) -> Result<Vec<String>, Rejected> {
    let (first, second) = (bits.number(4)?, bits.number(4)?);
    if first.max(second) > 9 {
        let Some(numbers) = together(first << 4 | second) else {
            return refuse("其中有不属于 GS1 的数据，请用未压缩的形式");
        };
        return Ok(numbers);
    }
    let mut number = format!("{first}{second}");
    let length = AIS.iter().find(|ai| ai.number.starts_with(&number)).map(|ai| ai.number.len());
    while number.len() < length.unwrap_or(2) {
        match bits.number(4)? {
            digit @ 0..=9 => number.push_str(&digit.to_string()),
            _ => return refuse(format!("（{number}…）不是 GS1 应用标识符")),
        }
    }
    Ok(vec![number])
}

/// Numbers with their values.
type Pairs = Vec<(String, String)>;

/// `sorted`: the values of numbers that come together follow each other like the numbers as texts.
fn read_as(text: &str, sorted: bool) -> Result<Pairs, Rejected> {
    let Some(mut bits) = Bits::of(text) else {
        return refuse("应只含字母、数字、- 与 _");
    };
    let mut found = Vec::new();
    // Fewer than eight are what fills the last letter up.
    while bits.left() >= 8 {
        let mut numbers = numbers(&mut bits)?;
        if sorted {
            numbers.sort_unstable();
        }
        for number in numbers {
            let Some(ai) = by_number(&number) else {
                return refuse(format!("（{number}）不是 GS1 应用标识符"));
            };
            let value: Result<String, Rejected> =
                pieces(&number, ai).into_iter().map(|piece| piece.read(&mut bits)).collect();
            found.push((number, value?));
        }
    }
    Ok(found)
}

/// The numbers with their values, in the order in which they were compressed. The standard tells in which
/// order the values of numbers stand that come together; the toolkit of GS1 sorts the numbers first, which
/// is tried where the values would not be of their form otherwise.
pub(super) fn read(text: &str) -> Result<Pairs, Rejected> {
    let fits = |(number, value): &(String, String)| {
        by_number(number).is_some_and(|ai| ai_value::check(ai.form, value).is_ok())
    };
    let found = read_as(text, false);
    if found.as_ref().is_ok_and(|pairs| pairs.iter().all(fits)) {
        return found;
    }
    read_as(text, true).ok().filter(|pairs| pairs.iter().all(fits)).map_or(found, Ok)
}

#[cfg(test)]
mod tests {
    use super::super::{candidates, link};

    /// Published pairs (the tests of a toolkit that follows GS1's own).
    const PAIRS: [(&str, &str); 28] = [
        ("/AN2yxDhfaiaw", "/00/998440410914660971"),
        ("/AQnYUc1gmg", "/01/05412345000013"),
        ("/AQnYUc1gmiCNV4JG", "/01/05412345000013/10/ABC123"),
        ("/AQnYUc1gmiCNV4JGQhcNT6K6c", "/01/05412345000013/10/ABC123/21/72292641703"),
        (
            "/AQnYUc1gmiCNV4JGQhcNT6K6cibQCWN9Pee9tT-PQ",
            "/01/05412345000013/22/AJY3095721P49/10/ABC123/21/72292641703",
        ),
        ("/AQnYUc1gmkax7ipGrOHDPC5YNI8hMz", "/01/05412345000013/235/8TFV883a904GH%263"),
        ("/JTLIetaiHYA", "/253/3060077601309"),
        ("/JVUqG5hJ5wA", "/255/5678409730535"),
        ("/QBl2DVoxZM2jVm3ZOWEFoxTR5HDgzZg", "/401/0541234537290A41%26GHpp33"),
        ("/QCJZyW9mC6Z4", "/402/21173492661712079"),
        ("/QUSaVjC_dA", "/414/5060917510004"),
        ("/JUa0T-eifdtOO9UFEmlYwv3Q", "/414/5060917510004/254/RP56J920471"),
        ("/QUSaVjC_dHBAVlCrg", "/414/5060917510004/7040/5KFX"),
        ("/QXSaVjC_dA", "/417/5060917510004"),
        ("/cEB2CqjAAkuwatGLJm0as27JywgtGKaPI4cGbM", "/8004/0541234537290A41%26GHpp33/7040/7BVR"),
        ("/gAMJCAXukTMA", "/8003/04965031954585"),
        (
            "/gBCVYNWjFkzaNWbdk5YQWjFHHkM2cAI0xdvpGo",
            "/8010/0541234537290A41%23GH33/8011/6639047221",
        ),
        ("/gBe1ajAd9ATDk", "/8017/817019610850151481"),
        ("/gBe1ajAd9ATDmAGXPRfk", "/8017/817019610850151481/8019/4003812"),
        ("/gBhbV6rzBENPmAGXPRfk", "/8018/411369833821910265/8019/4003812"),
        ("/01/05412345000013/EEarwSM", "/01/05412345000013/10/ABC123"),
        ("/01/5412345000013/EEarwSM", "/01/05412345000013/10/ABC123"),
        ("/gtin/05412345000013/EEarwSM", "/01/05412345000013/10/ABC123"),
        (
            "/01/05412345000013/EEarwSMhC4an0V05E2gEsb6e897an8eg",
            "/01/05412345000013/22/AJY3095721P49/10/ABC123/21/72292641703",
        ),
        ("/414/5060917510004/cEBWUKu", "/414/5060917510004/7040/5KFX"),
        ("/8004/0541234537290A41%26GHpp33/cEB2Cqi", "/8004/0541234537290A41%26GHpp33/7040/7BVR"),
        (
            "/8010/0541234537290A41%23GH33/gBGmLt9I1",
            "/8010/0541234537290A41%23GH33/8011/6639047221",
        ),
        ("/some/path/AQnYUc1gmiCNV4JG", "/01/05412345000013/10/ABC123"),
    ];

    #[test]
    fn published_links_are_read_as_what_they_were_before() {
        for (packed, wanted) in PAIRS {
            for text in [String::from(packed), format!("https://id.gs1.org{packed}")] {
                let found = link::read(&text).unwrap();
                let found = found.unwrap_or_else(|error| panic!("{text}: {error}"));
                assert_eq!(found.path(), wanted, "{text}");
                assert_eq!(candidates(&text)[0].canonical, wanted, "{text}");
            }
        }
        let with = link::read("https://id.gs1.org/AQnYUc1gmiCNV4JG?17=270501&utm=x").unwrap();
        assert_eq!(with.unwrap().link(""), "/01/05412345000013/10/ABC123?17=270501");
    }

    /// With numbers that come together, by the table and the ways of writing values that are published.
    const TOGETHER: [(&str, &str); 9] = [
        ("CwnYUc1gmo1XgkY", "/01/05412345000013/10/ABC123"),
        ("GgnYUc1gmo1XgkYXDU-iunQgpQ", "/01/05412345000013/10/ABC123/21/72292641703?17=270501"),
        // The numbers sorted first.
        ("GgnYUc1gmo1XgkaEFKFw1Porpw", "/01/05412345000013/10/ABC123/21/72292641703?17=270501"),
        ("nUmlYwv3RrRP56J920471", "/414/5060917510004/254/RP56J920471"),
        ("nWtE_non3bTjvVJpWML90", "/414/5060917510004/254/RP56J920471"),
        ("LQnYUc1gmgBdw", "/01/05412345000013?3103=000750"),
        ("DQnYUc1gmoQUo", "/01/05412345000013?17=270501"),
        ("ognYUc1gmoLtmIGAF3A", "/01/05412345000013?3922=1499&3103=000750"),
        ("m7VqMB30BMOXPRfk", "/8017/817019610850151481/8019/4003812"),
    ];

    #[test]
    fn numbers_that_come_together_are_read() {
        for (packed, wanted) in TOGETHER {
            let found = link::read(&format!("https://id.gs1.org/{packed}")).unwrap();
            let found = found.unwrap_or_else(|error| panic!("{packed}: {error}"));
            assert_eq!(found.link(""), wanted, "{packed}");
        }
        // Every one of them is of numbers that there are.
        let groups = (0..=255).filter_map(super::together);
        let numbers: Vec<String> = groups.flatten().collect();
        assert_eq!(numbers.len(), 107);
        assert!(numbers.iter().all(|number| super::by_number(number).is_some()));
    }

    /// Published too, though the second of one piece is no piece: what it says is read all the same.
    #[test]
    fn pieces_of_an_item_are_one_number() {
        let value = |text: &str| super::read(text).unwrap();
        let item = (String::from("8006"), String::from("054123450000130201"));
        assert_eq!(value("gAYMBI_bNGwJk"), std::slice::from_ref(&item));
        let lot = (String::from("10"), String::from("ABC123"));
        let serial = (String::from("21"), String::from("72292641703"));
        assert_eq!(value("EEarwSMhC4an0V08ADBgJH7Zo2BMg"), [lot, serial, item]);
    }

    #[test]
    fn what_cannot_be_unpacked_is_said_to_be_so() {
        for (text, word) in [
            // A check digit that is not right.
            ("/AQnYUc1gng", "校验位应为"),
            ("/AQnYUc1g", "断了"),
            // `A0` stands for two numbers, of which the second ends too early.
            ("/oA01234567890", "断了"),
            // `F` stands for what is not of GS1.
            ("/8A01234567890", "不属于 GS1"),
            ("/01/05412345000013/EEarwSMhC4an0", "断了"),
            ("/AQnYUc1gmiCNV4JG?10=L1", "应"),
        ] {
            let error = link::read(text).unwrap().unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
        for text in ["/01/05412345000013/foo", "/favicon.ico", "/administrator"] {
            assert!(link::read(text).unwrap().is_err(), "{text}");
        }
    }
}
