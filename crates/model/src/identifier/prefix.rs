//! The prefix that an authority gave to a subject, and under which the subject gives codes.

use super::{Scheme, chinese};
use crate::{Rejected, text::tidy};

/// Schemes with prefixes, and what the prefix is.
pub const PREFIX_SCHEMES: &[(&str, &str)] = &[
    ("gs1", "GS1 厂商识别代码"),
    ("ecode", "Ecode 版本与编码体系标识"),
    ("ma", "MA 机构代码"),
    ("handle", "Handle 前缀"),
    ("vaa", "VAA 前缀"),
    ("oid", "OID 节点"),
    ("drug", "药品标识码"),
    ("pesticide", "农药登记与规格码"),
    ("veterinary_drug", "兽药企业代码"),
    ("organic", "有机认证机构代码"),
    ("equipment", "特种设备品种与制造单位代码"),
    ("meat_vegetable", "肉菜经营者主体码"),
];

/// A prefix of a scheme in its normal form, or what is wrong with it.
pub fn prefix_of(scheme: Scheme, text: &str) -> Result<String, Rejected> {
    let code = tidy(text);
    let digits = |lengths: &[usize], wanted: &str| {
        let sound = lengths.contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
        if sound {
            Ok(code.clone())
        } else {
            Err(Rejected(format!("{}应为{wanted}", title(scheme))))
        }
    };
    match scheme {
        Scheme::Gs1 => gs1(digits(&[7, 8, 9, 10, 11, 12], " 7 至 12 位数字")?),
        Scheme::Ecode => {
            let lengths: &[usize] = if code.starts_with('3') { &[6] } else { &[5] };
            let code = digits(lengths, "版本 1、2 加 4 位数字，或版本 3 加 5 位数字")?;
            if code.starts_with(['1', '2', '3']) {
                Ok(code)
            } else {
                Err(Rejected::new("Ecode 版本应为 1、2 或 3"))
            }
        }
        Scheme::Ma => reads(&code, "", chinese::ma, "MA.156.行业.机构，如 MA.156.M0.1001"),
        Scheme::Handle => reads(&code, "/0", chinese::handle, "88.行业.企业，如 88.118.8"),
        Scheme::Vaa => {
            reads(&code, "/0", chinese::vaa, "VAA 加 3 至 24 位字母或数字，如 VAA08810001")
        }
        Scheme::Oid => reads(&code, "", chinese::oid, "1.2.156. 之下的节点，如 1.2.156.1001"),
        Scheme::Drug => {
            let code = digits(&[7], " 7 位数字，首位为 8")?;
            if code.starts_with('8') {
                Ok(code)
            } else {
                Err(Rejected::new("药品标识码首位应为 8"))
            }
        }
        Scheme::Pesticide => {
            let code = digits(&[11], "登记类别、登记证号后六位、生产类型与规格码，共 11 位数字")?;
            let sound = |at: usize| matches!(code.as_bytes()[at], b'1'..=b'3');
            if sound(0) && sound(7) {
                Ok(code)
            } else {
                Err(Rejected::new("农药登记类别（第 1 位）与生产类型（第 8 位）应为 1、2 或 3"))
            }
        }
        Scheme::VeterinaryDrug => digits(&[5], " 5 位数字"),
        Scheme::Organic => digits(&[3], " 3 位数字"),
        Scheme::Equipment => {
            let sample = format!("{code}202600001");
            if code.len() == 9 && chinese::equipment(&sample).is_some() {
                Ok(code)
            } else {
                Err(Rejected::new("应为 4 位品种代码加 5 位制造单位代码，如 215010001"))
            }
        }
        Scheme::MeatVegetable => {
            let code = digits(&[13], " 13 位数字")?;
            if chinese::meat_vegetable(&code).is_some() {
                Ok(code)
            } else {
                Err(Rejected::new("经营者主体码的前 6 位应为行政区划代码"))
            }
        }
        Scheme::Own | Scheme::Vin | Scheme::Did => {
            Err(Rejected(format!("{}没有可登记的前缀", scheme.label())))
        }
    }
}

fn title(scheme: Scheme) -> &'static str {
    let found = PREFIX_SCHEMES.iter().find(|(code, _)| *code == scheme.code());
    found.map_or("前缀", |(_, title)| title)
}

/// Chinese company prefixes of 690 to 697 have a length that is known; of others the owner says it.
fn gs1(code: String) -> Result<String, Rejected> {
    let length = match &code[..3] {
        "690" | "691" => 7,
        "692" | "693" | "694" | "695" | "696" => 8,
        "697" => 9,
        _ => return Ok(code),
    };
    if code.len() == length {
        Ok(code)
    } else {
        Err(Rejected(format!(
            "{} 开头的厂商识别代码应为 {length} 位，现为 {} 位",
            &code[..3],
            code.len()
        )))
    }
}

/// A prefix is one if a code under it is one.
fn reads(
    code: &str,
    behind: &str,
    grammar: fn(&str) -> Option<super::Recognised>,
    wanted: &str,
) -> Result<String, Rejected> {
    let whole = grammar(&format!("{code}{behind}"));
    if whole.is_some() && !code.contains('/') {
        return Ok(String::from(code));
    }
    Err(Rejected(format!("应为 {wanted}")))
}
