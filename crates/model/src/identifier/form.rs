//! How the codes of one batch look: a head that all share, and a tail that tells them apart. The tail
//! is a number, running or of chance, so that a batch of millions is one record and any of its codes
//! leads back to the batch and to its place in it.

use jiff::civil::Date;

use super::{Recognised, Scheme};
use crate::{Gtin, Rejected, TraceCode, gs1_mod10, trace_code::BASE32};

/// The part of a code that tells it from others of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// 12 letters of base 32: 60 bits of chance.
    Letters,
    /// So many digits of chance.
    Chance(u32),
    /// So many digits that count up.
    Running(u32),
    /// The same with a check digit of GS1 behind.
    Checked(u32),
}

impl Tail {
    /// How many different tails there are.
    pub fn capacity(self) -> u64 {
        match self {
            Self::Letters => 1 << 60,
            Self::Chance(width) | Self::Running(width) | Self::Checked(width) => 10_u64.pow(width),
        }
    }

    /// Whether the number is of chance, and so says nothing to who has no key.
    pub fn is_chance(self) -> bool {
        matches!(self, Self::Letters | Self::Chance(_))
    }

    /// As stored: `letters`, `chance9`, `running13`, `checked9`.
    pub fn code(self) -> String {
        match self {
            Self::Letters => String::from("letters"),
            Self::Chance(width) => format!("chance{width}"),
            Self::Running(width) => format!("running{width}"),
            Self::Checked(width) => format!("checked{width}"),
        }
    }

    /// The reverse of [`Tail::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        if code == "letters" {
            return Some(Self::Letters);
        }
        let make: [(&str, fn(u32) -> Self); 3] =
            [("chance", Self::Chance), ("running", Self::Running), ("checked", Self::Checked)];
        make.into_iter().find_map(|(name, make)| {
            let width = code.strip_prefix(name)?.parse().ok()?;
            (1..=18).contains(&width).then(|| make(width))
        })
    }
}

/// How the codes of a batch look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// 编码体系
    pub scheme: Scheme,
    /// What all codes of the batch begin with, in canonical form.
    pub head: String,
    /// What follows.
    pub tail: Tail,
}

/// What a scheme lets a batch look like.
struct Shape {
    /// Digits of a running number; none where the scheme wants chance.
    running: Option<u32>,
    /// Digits that number the batches, and digits of chance behind them; none where letters do both.
    chance: Option<(u32, u32)>,
    /// Whether letters of base 32 may stand in its codes.
    letters: bool,
}

fn shape(scheme: Scheme, prefix: &str) -> Option<Shape> {
    let made = |running, chance, letters| Some(Shape { running, chance, letters });
    match scheme {
        Scheme::Own => made(None, None, true),
        Scheme::Gs1 | Scheme::Ma | Scheme::Handle | Scheme::Vaa => made(Some(12), None, true),
        Scheme::Ecode if prefix.starts_with(['1', '2']) => made(Some(12), Some((4, 15)), false),
        Scheme::Ecode => made(Some(12), None, true),
        Scheme::Oid => made(Some(12), None, false),
        Scheme::Drug => made(Some(13), Some((4, 9)), false),
        Scheme::Pesticide => made(None, Some((6, 15)), false),
        Scheme::VeterinaryDrug => made(None, Some((2, 9)), false),
        Scheme::Organic => made(None, Some((3, 9)), false),
        Scheme::Equipment => made(Some(5), None, false),
        Scheme::MeatVegetable => made(Some(7), None, false),
        Scheme::Vin | Scheme::Did => None,
    }
}

/// What a batch is made for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// 编码体系
    pub scheme: Scheme,
    /// The prefix registered to the subject; empty for the platform's own codes.
    pub prefix: &'a str,
    /// Numbers of chance, or running ones.
    pub chance: bool,
    /// The product's GTIN; without one a GS1 prefix gives SSCC.
    pub gtin: Option<&'a Gtin>,
    /// The day in China.
    pub today: Date,
}

impl Wanted<'_> {
    /// What every code begins with, before the number of the batch.
    pub fn stem(&self) -> Result<String, Rejected> {
        let Self { scheme, prefix, gtin, today, .. } = *self;
        Ok(match scheme {
            Scheme::Own => String::new(),
            Scheme::Gs1 => match gtin {
                Some(gtin) if gtin.as_str()[1..].starts_with(prefix) => {
                    format!("/01/{gtin}/21/")
                }
                Some(gtin) => {
                    return Err(Rejected(format!(
                        "产品的商品条码 {gtin} 不属于厂商识别代码 {prefix}"
                    )));
                }
                None => format!("/00/0{prefix}"),
            },
            Scheme::Ma | Scheme::Handle | Scheme::Vaa => format!("{prefix}/"),
            Scheme::Oid => format!("{prefix}."),
            Scheme::VeterinaryDrug => format!("{}{prefix}", today.strftime("%Y%m%d")),
            Scheme::Organic => format!("{prefix}{}", today.strftime("%y")),
            Scheme::Equipment => format!("{prefix}{}", today.strftime("%Y")),
            Scheme::Ecode | Scheme::Drug | Scheme::Pesticide | Scheme::MeatVegetable => {
                String::from(prefix)
            }
            Scheme::Vin | Scheme::Did => {
                return Err(Rejected(format!("{}由他方分配，平台不赋码", scheme.label())));
            }
        })
    }

    /// How many batches of chance can be told apart on one stem.
    pub fn series_max(&self) -> u64 {
        match shape(self.scheme, self.prefix) {
            Some(Shape { chance: Some((width, _)), .. }) => 10_u64.pow(width),
            _ => 1 << 30,
        }
    }

    /// The form of a batch; `series` numbers the batches of chance on one stem.
    pub fn form(&self, series: u64) -> Result<Form, Rejected> {
        let stem = self.stem()?;
        let label = self.scheme.label();
        let shape = shape(self.scheme, self.prefix)
            .ok_or_else(|| Rejected(format!("{label}由他方分配，平台不赋码")))?;
        let (head, tail) = match (self.chance, &shape) {
            (false, Shape { running: Some(_), .. }) if stem.starts_with("/00/") => {
                // 17 digits before the check digit, one of which is the extension.
                let width = 16_usize.saturating_sub(self.prefix.len());
                (stem, Tail::Checked(u32::try_from(width).unwrap_or(0)))
            }
            (true, _) if stem.starts_with("/00/") => {
                return Err(Rejected::new("物流单元代码只能顺序赋码"));
            }
            (false, Shape { running: Some(width), .. }) => (stem, Tail::Running(*width)),
            (false, _) => return Err(Rejected(format!("{label}只能随机赋码"))),
            (true, Shape { letters: true, .. }) => {
                (format!("{stem}{}", letters(series, 6)), Tail::Letters)
            }
            (true, Shape { chance: Some((width, chance)), .. }) => {
                let width = usize::try_from(*width).unwrap_or(0);
                (format!("{stem}{series:0width$}"), Tail::Chance(*chance))
            }
            (true, _) => return Err(Rejected(format!("{label}只能顺序赋码"))),
        };
        Ok(Form { scheme: self.scheme, head, tail })
    }

    /// The first running number: no arc of an OID begins with a nought.
    pub fn first(&self) -> u64 {
        if self.scheme == Scheme::Oid { 10_u64.pow(11) } else { 0 }
    }
}

/// A number as letters of base 32, the highest first.
fn letters(value: u64, count: u32) -> String {
    let letter = |place| char::from(BASE32[((value >> (5 * place)) & 31) as usize]);
    (0..count).rev().map(letter).collect()
}

fn value_of(letters: &str) -> Option<u64> {
    letters.bytes().try_fold(0_u64, |value, byte| {
        let digit = BASE32.iter().position(|&known| known == byte)?;
        Some((value << 5) | digit as u64)
    })
}

impl Form {
    /// The code with this number, in canonical form.
    pub fn code(&self, value: u64) -> String {
        let head = &self.head;
        match self.tail {
            Tail::Letters if self.scheme == Scheme::Own => {
                let batch = value_of(head).and_then(|batch| u32::try_from(batch).ok());
                TraceCode::own(batch.unwrap_or(0), value).to_string()
            }
            Tail::Letters => format!("{head}{}", letters(value, 12)),
            Tail::Chance(width) | Tail::Running(width) => {
                let width = usize::try_from(width).unwrap_or(0);
                format!("{head}{value:0width$}")
            }
            Tail::Checked(width) => {
                let width = usize::try_from(width).unwrap_or(0);
                let code = format!("{head}{value:0width$}");
                // The key begins behind `/00/`.
                let check = gs1_mod10(&code.as_bytes()[4..]).unwrap_or(b'0');
                format!("{code}{}", char::from(check))
            }
        }
    }
}

/// How a code may have been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The head of the batch.
    pub head: String,
    /// The kind of tail.
    pub tail: Tail,
    /// The number.
    pub value: u64,
}

/// Every way in which a recognised code may have been made; at most five.
pub fn forms_of(found: &Recognised) -> Vec<Split> {
    let text = found.canonical.as_str();
    let cut = |tail: Tail| {
        let (width, behind) = match tail {
            Tail::Letters => (12, 0),
            Tail::Chance(width) | Tail::Running(width) => (width, 0),
            Tail::Checked(width) => (width, 1),
        };
        let end = text.len().checked_sub(behind)?;
        let start = end.checked_sub(usize::try_from(width).ok()?)?;
        let (head, number) = (text.get(..start)?, text.get(start..end)?);
        let value = match tail {
            Tail::Letters => value_of(number)?,
            _ if number.bytes().all(|byte| byte.is_ascii_digit()) => number.parse().ok()?,
            _ => return None,
        };
        (!head.is_empty()).then(|| Split { head: String::from(head), tail, value })
    };
    let tails: &[Tail] = match found.scheme {
        Scheme::Own => {
            let (batch, random) = (found.part("batch"), found.part("random"));
            let made = batch.zip(random).and_then(|(batch, random)| {
                let value = value_of(random)?;
                Some(Split { head: String::from(batch), tail: Tail::Letters, value })
            });
            return made.into_iter().collect();
        }
        Scheme::Gs1 if text.starts_with("/00/") => &[
            Tail::Checked(4),
            Tail::Checked(5),
            Tail::Checked(6),
            Tail::Checked(7),
            Tail::Checked(8),
            Tail::Checked(9),
        ],
        Scheme::Gs1 if found.part("serial").is_some() => {
            return of_serial(found);
        }
        Scheme::Gs1 | Scheme::Vin | Scheme::Did => &[],
        Scheme::Ma | Scheme::Handle | Scheme::Vaa => &[Tail::Letters, Tail::Running(12)],
        Scheme::Ecode => &[Tail::Letters, Tail::Chance(15), Tail::Running(12)],
        Scheme::Oid => &[Tail::Running(12)],
        Scheme::Drug => &[Tail::Chance(9), Tail::Running(13)],
        Scheme::Pesticide => &[Tail::Chance(15)],
        Scheme::VeterinaryDrug | Scheme::Organic => &[Tail::Chance(9)],
        Scheme::Equipment => &[Tail::Running(5)],
        Scheme::MeatVegetable => &[Tail::Running(7)],
    };
    tails.iter().filter_map(|tail| cut(*tail)).collect()
}

/// A lot or variant between trade item and serial number does not change which batch it is of.
fn of_serial(found: &Recognised) -> Vec<Split> {
    let (Some(gtin), Some(serial)) = (found.part("gtin"), found.part("serial")) else {
        return Vec::new();
    };
    let stem = format!("/01/{gtin}/21/");
    let (mut made, ascii) = (Vec::new(), serial.is_ascii());
    if ascii
        && serial.len() == 18
        && let Some(value) = value_of(&serial[6..])
    {
        made.push(Split { head: format!("{stem}{}", &serial[..6]), tail: Tail::Letters, value });
    }
    if serial.len() == 12
        && serial.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(value) = serial.parse()
    {
        made.push(Split { head: stem, tail: Tail::Running(12), value });
    }
    made
}
