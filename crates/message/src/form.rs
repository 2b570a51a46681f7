//! The forms that single values have.

use yj_model::{KnownCode, OffsetTime, Quantity, TraceCode, sought_code};

/// What the text of a field must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// 文本, up to so many letters.
    Text(usize),
    /// 主体、节点或经营者的代码: the present 18 digits or a former code of 9, 13, 15 or 20.
    Party,
    /// 追溯码, up to so many letters.
    Code(usize),
    /// 日期
    Day,
    /// 时间; a date alone is its first moment in Beijing.
    Moment,
    /// 大于 0 的十进制数
    Amount,
    /// 不小于 0 的十进制数
    Decimal,
    /// 整数, up to this.
    Whole(u32),
    /// 是否
    Flag,
    /// 代码, with their labels; both are understood.
    List(&'static [(&'static str, &'static str)]),
    /// 联合国编号
    UnNumber,
}

impl Form {
    /// The text in its normal form, or what would be right.
    pub fn check(self, text: &str) -> Result<String, String> {
        let text = text.trim();
        match self {
            Self::Text(longest) => plain(text, longest),
            Self::Party => {
                text.parse::<KnownCode>().map(|code| code.to_string()).map_err(|e| e.to_string())
            }
            Self::Code(longest) if text.chars().count() > longest => {
                Err(format!("至多 {longest} 位，现为 {} 位", text.chars().count()))
            }
            Self::Code(_) => {
                let code = text.parse::<TraceCode>().or_else(|_| sought_code(text));
                code.map(|code| code.to_string()).map_err(|e| e.to_string())
            }
            Self::Day => day(text).ok_or_else(|| String::from("应为日期，如 2026-11-01")),
            Self::Moment => moment(text).ok_or_else(|| {
                String::from("应为时间，如 2026-11-01 08:00:00，不写时区即北京时间")
            }),
            Self::Amount | Self::Decimal => {
                let number: Quantity =
                    text.parse().map_err(|e: yj_model::Rejected| e.to_string())?;
                let scaled = number.scaled();
                if scaled < 0 || (scaled == 0 && self == Self::Amount) {
                    let bound = if self == Self::Amount { "应大于 0" } else { "不应为负" };
                    return Err(format!("{bound}，现为 {number}"));
                }
                Ok(number.to_string())
            }
            Self::Whole(most) => {
                let number = text.parse::<u32>().ok().filter(|number| *number <= most);
                number
                    .map(|number| number.to_string())
                    .ok_or_else(|| format!("应为 0 至 {most} 的整数"))
            }
            Self::Flag => match text {
                "是" | "true" | "1" => Ok(String::from("true")),
                "否" | "false" | "0" => Ok(String::from("false")),
                _ => Err(String::from("应为 是 或 否")),
            },
            Self::List(codes) => {
                let found = codes.iter().find(|(code, label)| *code == text || *label == text);
                found.map(|(code, _)| String::from(*code)).ok_or_else(|| {
                    let known: Vec<_> =
                        codes.iter().map(|(code, label)| format!("{code} {label}")).collect();
                    format!("没有 {text} 这个取值，应为：{}", known.join("、"))
                })
            }
            Self::UnNumber => {
                let digits = text.strip_prefix("UN").or_else(|| text.strip_prefix("un"));
                let digits = digits.unwrap_or(text).trim();
                let right = digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_digit());
                if right {
                    Ok(format!("UN{digits}"))
                } else {
                    Err(String::from("应为 UN 加 4 位数字"))
                }
            }
        }
    }

    /// What it is called in a specification.
    pub fn describe(self) -> String {
        match self {
            Self::Text(longest) => format!("文本，至多 {longest} 个字"),
            Self::Party => String::from("主体代码（18 位，或 9、13、15、20 位旧代码）"),
            Self::Code(longest) => format!("追溯码，至多 {longest} 位"),
            Self::Day => String::from("日期"),
            Self::Moment => String::from("时间"),
            Self::Amount => String::from("大于 0 的十进制数，至多 4 位小数"),
            Self::Decimal => String::from("不小于 0 的十进制数，至多 4 位小数"),
            Self::Whole(most) => format!("0 至 {most} 的整数"),
            Self::Flag => String::from("是、否"),
            Self::List(codes) => {
                let known: Vec<_> =
                    codes.iter().map(|(code, label)| format!("{code} {label}")).collect();
                known.join("、")
            }
            Self::UnNumber => String::from("UN 加 4 位数字"),
        }
    }
}

fn plain(text: &str, longest: usize) -> Result<String, String> {
    let length = text.chars().count();
    if length > longest {
        return Err(format!("至多 {longest} 个字，现为 {length} 个"));
    }
    if text.chars().any(char::is_control) {
        return Err(String::from("不能含控制字符"));
    }
    Ok(String::from(text))
}

/// `2026-11-01`, `2026/11/01` or `20261101`.
fn day(text: &str) -> Option<String> {
    let text = text.replace('/', "-");
    let written = if text.len() == 8 && text.bytes().all(|digit| digit.is_ascii_digit()) {
        format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..])
    } else {
        text
    };
    if written.len() != 10 {
        return None;
    }
    format!("{written}T00:00:00+08:00").parse::<OffsetTime>().ok().map(|_| written)
}

/// A day, with or without `08:00`, `08:00:00` or `080000`, with or without an offset.
fn moment(text: &str) -> Option<String> {
    if let Ok(time) = text.parse::<OffsetTime>() {
        return Some(time.to_string());
    }
    if !text.is_ascii() {
        return None;
    }
    let compact = text.bytes().all(|digit| digit.is_ascii_digit());
    let (date, clock) = match text.split_once([' ', 'T']) {
        Some((date, clock)) => (date, clock.trim()),
        None if compact && text.len() == 14 => text.split_at(8),
        None => (text, "00:00:00"),
    };
    let clock = match clock.len() {
        5 => format!("{clock}:00"),
        6 if compact => format!("{}:{}:{}", &clock[..2], &clock[2..4], &clock[4..]),
        8 => String::from(clock),
        _ => return None,
    };
    let time = format!("{}T{clock}+08:00", day(date)?).parse::<OffsetTime>();
    time.ok().map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_these_systems_write_them() {
        for text in [
            "2026-11-01 08:00:00",
            "2026-11-01 08:00",
            "2026/11/01 08:00",
            "20261101080000",
            "2026-11-01T08:00:00+08:00",
        ] {
            assert_eq!(Form::Moment.check(text).unwrap(), "2026-11-01T08:00:00+08:00", "{text}");
        }
        assert_eq!(Form::Moment.check("20261101").unwrap(), "2026-11-01T00:00:00+08:00");
        for wrong in ["", "2026-13-01", "11/01/26", "2026-11-01 8", "2026-11-01 25:00", "昨天"] {
            assert!(Form::Moment.check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_refusal_says_what_would_be_right() {
        let list = Form::List(&[("a", "甲"), ("b", "乙")]);
        assert_eq!(list.check("乙").unwrap(), "b");
        assert!(list.check("丙").unwrap_err().contains("a 甲、b 乙"));
        assert!(Form::Amount.check("0").unwrap_err().contains("大于 0"));
        assert!(Form::Party.check("12345").unwrap_err().contains("9、13、15、20"));
        assert_eq!(Form::UnNumber.check("1230").unwrap(), "UN1230");
        assert!(Form::UnNumber.check("UN12").unwrap_err().contains("4 位"));
        assert!(Form::Code(40).check("a b").is_err());
    }
}
