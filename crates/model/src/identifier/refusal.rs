//! What is wrong with a text that is no identifier, as a sentence that says what would be right. By
//! its beginning a text tells what it was meant to be; only of what tells nothing all schemes are named.

use super::{IDENTIFIER_MAX, PLAIN_MARKS, ai_value, bare_code, element, epc, gs1::FNC1, link};
use crate::{Rejected, text::narrow};

/// Why a text is none of the identifiers that are known; asked where [`candidates`] finds nothing.
pub fn why_not(text: &str) -> Rejected {
    let Some(code) = bare_code(text) else {
        if text.trim().is_empty() {
            return Rejected::new("请给出标识，如追溯码、商品条码或 GS1 Digital Link");
        }
        return Rejected(format!("标识过长，至多 {IDENTIFIER_MAX} 个字节，现为 {} 个", text.len()));
    };
    if let Some(error) = of_gs1(&code) {
        return error;
    }
    if let Some(error) = of_digits(&code) {
        return error;
    }
    for (mark, wanted) in BEGINNINGS {
        if code.get(..mark.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(mark)) {
            return Rejected(format!("看来是{wanted}"));
        }
    }
    if vin_like(&code) {
        return Rejected::new(
            "看来是车辆识别代号：第 9 位校验位不正确，请核对各位（不含 I、O、Q）",
        );
    }
    Rejected::new(
        "不是可识别的标识：应为 GS1、Ecode、MA、Handle、VAA、OID、药品、农药、兽药、有机、特种设备、肉菜或平台自有的编码",
    )
}

/// What the schemes with a mark of their own want.
const BEGINNINGS: [(&str, &str); 8] = [
    ("MA.156.", " MA 标识：应为 MA.156.行业.机构/用户部分，各段为字母或数字"),
    ("88.", " Handle 标识：应为 88.行业.企业/后缀"),
    ("VAA", " VAA 标识：应为 VAA 加 3 至 24 位字母或数字/后缀"),
    ("1.2.156.", " OID：各弧应为不以 0 开头的数字，以 . 分隔"),
    ("urn:oid:", " OID：应以 1.2.156. 开头，各弧为不以 0 开头的数字"),
    ("did:", " DID：应为 did:方法:标识"),
    ("ecode:", " Ecode：应为版本 1 至 4、编码体系标识与主码"),
    ("urn:ecode:", " Ecode：应为版本 1 至 4、编码体系标识与主码"),
];

fn of_gs1(code: &str) -> Option<Rejected> {
    let read = link::read(code).or_else(|| epc::read(code)).or_else(|| element::read(code));
    let marked = code.starts_with(']') && PLAIN_MARKS.iter().all(|mark| !code.starts_with(mark));
    match read {
        Some(Err(error)) => Some(error),
        None if marked => Some(Rejected::new("扫码器标识 ]… 之后不是 GS1 数据")),
        Some(Ok(_)) | None => None,
    }
}

/// Digits alone: by how many they are, what they may have been meant to be.
fn of_digits(code: &str) -> Option<Rejected> {
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let checked = |what: &str| {
        let error = ai_value::check_digit(code).err()?;
        Some(Rejected(format!("{what}{error}")))
    };
    match code.len() {
        8 | 12 | 13 | 14 => checked("商品条码"),
        18 => checked("物流单元代码"),
        20 => Some(Rejected::new(
            "20 位数字应为药品追溯码（以 8 开头）、肉菜流通追溯码（前 6 位为行政区划）或特种设备注册代码",
        )),
        24 => Some(Rejected::new("兽药追溯码的前 8 位应为日期（YYYYMMDD）")),
        32 => Some(Rejected::new("农药单元识别代码的第 1 位与第 8 位应为 1、2 或 3")),
        length => Some(Rejected(format!(
            "{length} 位数字不是可识别的标识：商品条码 8、12、13、14 位，有机码 17 位，物流单元代码 18 位，药品与肉菜追溯码 20 位，兽药 24 位，农药 32 位"
        ))),
    }
}

fn vin_like(code: &str) -> bool {
    code.len() == 17
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && code.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The whole link of the path of an address that is none here, where it seems to be a compressed Digital
/// Link, or why it is none; nothing of every other.
pub fn uncompressed_path(path: &str) -> Option<Result<String, Rejected>> {
    let code: String = path.chars().map(narrow).collect();
    let last = code.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let one = code.matches('/').count() == 1 && !code.contains(FNC1);
    let read = link::read(&code).filter(|_| one && link::is_packed(last))?;
    Some(read.map(|found| found.link("")))
}
