//! 批准文号、登记证号与许可证号 (handbook §2.6, §2.8): what the authorities of each product domain
//! give, with the check digits where there are any. A division or a class that we do not know is
//! no error: the public lists are incomplete.

use std::str::FromStr;

use crate::{FoodLicence, Rejected, text::checked_text, text::tidy};

/// UN 编号 of dangerous goods, GB 12268: `UN` and four digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnNumber(String);
checked_text!(UnNumber);

impl FromStr for UnNumber {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let code = tidy(text).replace(' ', "");
        let digits = code.strip_prefix("UN").unwrap_or(&code);
        if digits.len() == 4 && all_digits(digits) {
            Ok(Self(format!("UN{digits}")))
        } else {
            Err(Rejected::new("联合国编号应为 UN 加 4 位数字，如 UN1203"))
        }
    }
}

/// CAS 登记号 of a substance: two to seven digits, two digits, a check digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CasNumber(String);
checked_text!(CasNumber);

impl FromStr for CasNumber {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let code = tidy(text);
        let wrong = || Rejected::new("CAS 号应为 2 至 7 位数字、2 位数字、1 位校验位，如 67-56-1");
        let (head, rest) = code.split_once('-').ok_or_else(wrong)?;
        let (middle, check) = rest.split_once('-').ok_or_else(wrong)?;
        let lengths = (2..=7).contains(&head.len()) && middle.len() == 2 && check.len() == 1;
        if !lengths || ![head, middle, check].into_iter().all(all_digits) {
            return Err(wrong());
        }
        let weighted = head.bytes().chain(middle.bytes()).rev().zip(1_u32..);
        let sum: u32 = weighted.map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        if check != (sum % 10).to_string() {
            return Err(Rejected::new("CAS 号校验位不符，请核对是否有录入错误"));
        }
        Ok(Self(code))
    }
}

/// What kind of approval a number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalKind {
    /// 食品生产许可、经营许可或备案
    FoodLicence,
    /// 保健食品、婴幼儿配方食品、特殊医学用途食品注册或备案
    SpecialFood,
    /// 药品批准文号
    Drug,
    /// 农药登记证号
    Pesticide,
    /// 兽药产品批准文号
    VeterinaryDrug,
    /// 特种设备生产许可证
    EquipmentLicence,
    /// 特种设备代码
    EquipmentCode,
    /// 特种设备使用登记证
    EquipmentRegistration,
    /// 联合国编号
    UnNumber,
    /// CAS 号
    Cas,
    /// 工业产品生产许可证
    IndustrialLicence,
    /// 有机码
    Organic,
    /// A number of a kind without published rules.
    Other,
}

/// 批准文号: in its normal form, of a kind that the product's domain knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalNumber {
    /// What it stands for.
    pub kind: ApprovalKind,
    /// The number in its normal form.
    pub text: String,
}

/// Longest number, in characters.
const LENGTH_MAX: usize = 60;

impl ApprovalNumber {
    /// Checks a number by the rules of a product domain ([`crate::DOMAINS`]). A number that begins
    /// as one of a kind with rules must keep them; where a domain has other approvals too, a
    /// number of another form is taken as it is.
    pub fn parse(domain: &str, text: &str) -> Result<Self, Rejected> {
        let code = tidy(text);
        let length = code.chars().count();
        if length == 0 || length > LENGTH_MAX || code.chars().any(char::is_control) {
            return Err(Rejected(format!("批准文号应为 1 至 {LENGTH_MAX} 个字")));
        }
        match domain {
            "food" => food(&code),
            "drug" => drug(&code),
            "agri_input" => agricultural_input(&code),
            "special_equipment" => special_equipment(&code),
            "dangerous" => dangerous(&code),
            "industrial" => industrial(&code),
            "agri" => agricultural(&code),
            _ => Ok(Self::new(ApprovalKind::Other, code)),
        }
    }

    fn new(kind: ApprovalKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is `length` digits.
fn digits(text: &str, length: usize) -> bool {
    text.len() == length && all_digits(text)
}

fn food(code: &str) -> Result<ApprovalNumber, Rejected> {
    if ["SC", "JY", "YB"].iter().any(|prefix| code.starts_with(prefix)) {
        let licence: FoodLicence = code.parse()?;
        return Ok(ApprovalNumber::new(ApprovalKind::FoodLicence, licence.as_str()));
    }
    let registered = [("国食健注G", 8), ("国食健注J", 8), ("国食注字YP", 8), ("国食注字TY", 8)];
    let filed = [("食健备G", 12), ("食健备J", 12)];
    for (prefix, length) in registered.into_iter().chain(filed) {
        let Some(rest) = code.strip_prefix(prefix) else { continue };
        if digits(rest, length) {
            return Ok(ApprovalNumber::new(ApprovalKind::SpecialFood, code));
        }
        return Err(Rejected(format!("{prefix} 之后应为 {length} 位数字")));
    }
    let known = "食品的批准文号应为 SC、JY 或 YB 加 14 位数字，或国食健注、国食注字、食健备编号";
    Err(Rejected::new(known))
}

/// 国药准字, one letter of the class of drugs, from beyond the border `C` or `J` besides, and 4
/// digits of the year with 4 of a number.
fn drug(code: &str) -> Result<ApprovalNumber, Rejected> {
    let wrong = || {
        let detail = "药品批准文号应为“国药准字”、类别字母（H、Z、S、T、J、F 或 B）与 8 位数字，如 国药准字H20040001";
        Rejected::new(detail)
    };
    let rest = code.strip_prefix("国药准字").ok_or_else(wrong)?.trim_start();
    let mut letters = rest.chars();
    let class = letters.next().filter(|letter| "HZSTJFB".contains(*letter)).ok_or_else(wrong)?;
    let rest = letters.as_str();
    let number = rest.strip_prefix(['C', 'J']).unwrap_or(rest);
    if !digits(number, 8) {
        return Err(wrong());
    }
    Ok(ApprovalNumber::new(ApprovalKind::Drug, format!("国药准字{class}{rest}")))
}

fn agricultural_input(code: &str) -> Result<ApprovalNumber, Rejected> {
    if ["PD", "WP", "LS", "EX"].iter().any(|prefix| code.starts_with(prefix)) {
        let (number, holder) = match code[2..].split_once('-') {
            Some((number, holder)) => (number, Some(holder)),
            None => (&code[2..], None),
        };
        let sound = (5..=8).contains(&number.len())
            && all_digits(number)
            && holder.is_none_or(|holder| all_digits(holder) && holder.len() <= 3);
        let wrong = "农药登记证号应为 PD、WP、LS 或 EX 加 5 至 8 位数字，如 PD20200001";
        let found = || ApprovalNumber::new(ApprovalKind::Pesticide, code);
        return sound.then(found).ok_or_else(|| Rejected::new(wrong));
    }
    if let Some(number) = code.strip_prefix("兽药字") {
        let number = number.trim_start_matches(['(', ')', ' ']);
        let found = || ApprovalNumber::new(ApprovalKind::VeterinaryDrug, format!("兽药字{number}"));
        let wrong = "兽药产品批准文号应为“兽药字”加 9 位数字，如 兽药字270010001";
        return digits(number, 9).then(found).ok_or_else(|| Rejected::new(wrong));
    }
    // 肥料登记、品种审定、饲料生产许可: no rule that is published.
    Ok(ApprovalNumber::new(ApprovalKind::Other, code))
}

fn special_equipment(code: &str) -> Result<ApprovalNumber, Rejected> {
    if let Some(rest) = code.strip_prefix("TS") {
        let sound =
            rest.split_once('-').is_some_and(|(number, year)| digits(number, 7) && digits(year, 4));
        let found = || ApprovalNumber::new(ApprovalKind::EquipmentLicence, code);
        let wrong = "特种设备生产许可证编号应为 TS、7 位数字、短横与 4 位年份，如 TS2210001-2027";
        return sound.then(found).ok_or_else(|| Rejected::new(wrong));
    }
    if code.starts_with(|letter| "锅容管瓶梯起索游车".contains(letter)) {
        return equipment_registration(code);
    }
    equipment_code(code)
}

/// 使用登记证 (TSG 08): kind, two digits of the class, province and letter of the authority, five
/// digits, the year in brackets.
fn equipment_registration(code: &str) -> Result<ApprovalNumber, Rejected> {
    let letters: Vec<char> = code.chars().collect();
    let digit = |at: usize| letters.get(at).is_some_and(char::is_ascii_digit);
    let sound = letters.len() == 14
        && (1..=2).all(digit)
        && letters[3].is_alphabetic()
        && !letters[3].is_ascii()
        && letters[4].is_ascii_uppercase()
        && (5..=9).all(digit)
        && letters[10] == '('
        && (11..=12).all(digit)
        && letters[13] == ')';
    if sound {
        return Ok(ApprovalNumber::new(ApprovalKind::EquipmentRegistration, code));
    }
    let wrong = "特种设备使用登记证编号应如 梯11陕A00001(26)";
    Err(Rejected::new(wrong))
}

/// 特种设备代码 (TSG 21): class 4, maker 5, year 4, sequence 4 (older rules) or 5.
fn equipment_code(code: &str) -> Result<ApprovalNumber, Rejected> {
    // 安全附件 begin with a letter; sequences that overflow go on with letters.
    let (head, body) = code.split_at_checked(1).unwrap_or_default();
    let sound = matches!(code.len(), 17 | 18)
        && (all_digits(head) || head == "F")
        && body.get(..12).is_some_and(all_digits)
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if sound {
        return Ok(ApprovalNumber::new(ApprovalKind::EquipmentCode, code));
    }
    let wrong = "应为特种设备生产许可证编号（TS2210001-2027）、设备代码（17 或 18 位）或使用登记证编号（梯11陕A00001(26)）";
    Err(Rejected::new(wrong))
}

fn dangerous(code: &str) -> Result<ApprovalNumber, Rejected> {
    if code
        .strip_prefix("UN")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == ' '))
    {
        let number: UnNumber = code.parse()?;
        return Ok(ApprovalNumber::new(ApprovalKind::UnNumber, number.as_str()));
    }
    let parts: Vec<_> = code.split('-').collect();
    if parts.len() == 3 && parts.iter().all(|part| all_digits(part)) {
        let number: CasNumber = code.parse()?;
        return Ok(ApprovalNumber::new(ApprovalKind::Cas, number.as_str()));
    }
    // 安全生产许可证 and registrations: forms differ from province to province.
    Ok(ApprovalNumber::new(ApprovalKind::Other, code))
}

/// 工业产品生产许可证: `XK`, two digits, three, five.
fn industrial(code: &str) -> Result<ApprovalNumber, Rejected> {
    let Some(rest) = code.strip_prefix("XK") else {
        return Ok(ApprovalNumber::new(ApprovalKind::Other, code));
    };
    let parts: Vec<_> = rest.split('-').collect();
    let sound = matches!(parts.as_slice(), [class, product, number]
        if digits(class, 2) && digits(product, 3) && digits(number, 5));
    let found = || ApprovalNumber::new(ApprovalKind::IndustrialLicence, code);
    let wrong = "工业产品生产许可证编号应如 XK13-003-00001";
    sound.then(found).ok_or_else(|| Rejected::new(wrong))
}

/// 有机码: 17 digits; other marks have no published rule.
fn agricultural(code: &str) -> Result<ApprovalNumber, Rejected> {
    if all_digits(code) {
        let found = || ApprovalNumber::new(ApprovalKind::Organic, code);
        let wrong = format!("有机码应为 17 位数字，现为 {} 位", code.len());
        return digits(code, 17).then(found).ok_or(Rejected(wrong));
    }
    Ok(ApprovalNumber::new(ApprovalKind::Other, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(domain: &str, text: &str) -> ApprovalKind {
        ApprovalNumber::parse(domain, text).unwrap_or_else(|error| panic!("{text}: {error}")).kind
    }

    fn refused(domain: &str, text: &str) -> String {
        match ApprovalNumber::parse(domain, text) {
            Ok(found) => panic!("{text} was taken as {:?}", found.kind),
            Err(error) => error.to_string(),
        }
    }

    /// The six real numbers of handbook §2.6, two of them of divisions that the lists lack.
    #[test]
    fn food_licences_have_a_check_digit_and_any_division() {
        for licence in [
            "SC10741018302531",
            "SC10744030704994",
            "SC11351090100010",
            "SC12336098200173",
            "SC12434017430075",
            "SC10622042103775",
        ] {
            assert_eq!(kind("food", licence), ApprovalKind::FoodLicence);
            let last = (licence.as_bytes()[15] - b'0' + 1) % 10;
            let wrong = format!("{}{last}", &licence[..15]);
            assert!(refused("food", &wrong).contains("校验位"), "{wrong}");
        }
        assert_eq!(kind("food", "国食注字YP20180001"), ApprovalKind::SpecialFood);
        assert_eq!(kind("food", "国食健注G20180001"), ApprovalKind::SpecialFood);
        assert!(refused("food", "国食健注G2018").contains("8 位"));
        assert!(refused("food", "12345").contains("SC"));
    }

    #[test]
    fn drugs_have_a_letter_and_eight_digits() {
        for number in ["国药准字H20040001", "国药准字 z20040001", "国药准字HJ20200001"]
        {
            assert_eq!(kind("drug", number), ApprovalKind::Drug, "{number}");
        }
        let found = ApprovalNumber::parse("drug", "国药准字 ｚ20040001").unwrap();
        assert_eq!(found.text, "国药准字Z20040001");
        for number in ["H20040001", "国药准字X20040001", "国药准字H2004001", "国药准字H200400012"]
        {
            assert!(refused("drug", number).contains("国药准字"), "{number}");
        }
    }

    #[test]
    fn pesticides_and_veterinary_drugs_have_their_own_numbers() {
        for number in ["PD20200001", "WP20080001", "LS20120001", "PD85105-1"] {
            assert_eq!(kind("agri_input", number), ApprovalKind::Pesticide, "{number}");
        }
        assert_eq!(kind("agri_input", "兽药字270010001"), ApprovalKind::VeterinaryDrug);
        assert_eq!(kind("agri_input", "农肥(2018)准字0001号"), ApprovalKind::Other);
        for number in ["PD2020", "PD2020000A", "兽药字12345"] {
            assert!(refused("agri_input", number).contains("数字"), "{number}");
        }
    }

    #[test]
    fn equipment_is_known_by_licence_code_or_registration() {
        assert_eq!(kind("special_equipment", "TS2210001-2027"), ApprovalKind::EquipmentLicence);
        assert_eq!(kind("special_equipment", "215010001202600001"), ApprovalKind::EquipmentCode);
        assert_eq!(kind("special_equipment", "21501000120260001"), ApprovalKind::EquipmentCode);
        let registration = "梯11陕A00001（26）";
        assert_eq!(
            ApprovalNumber::parse("special_equipment", registration).unwrap().text,
            "梯11陕A00001(26)"
        );
        for number in ["TS221", "2150100012026001", "梯11陕A0001(26)", "示例", ""] {
            refused("special_equipment", number);
        }
    }

    #[test]
    fn dangerous_goods_have_un_and_cas_numbers() {
        assert_eq!(kind("dangerous", "UN1203"), ApprovalKind::UnNumber);
        assert_eq!(ApprovalNumber::parse("dangerous", "un 1230").unwrap().text, "UN1230");
        assert!(refused("dangerous", "UN12345").contains("4 位"));
        // Methanol, acetone, ammonia.
        for number in ["67-56-1", "67-64-1", "7664-41-7"] {
            assert_eq!(kind("dangerous", number), ApprovalKind::Cas, "{number}");
        }
        assert!(refused("dangerous", "67-56-2").contains("校验位"));
        assert_eq!(kind("dangerous", "(陕)WH安许证字(2026)000001"), ApprovalKind::Other);
        assert!("7-56-1".parse::<CasNumber>().is_err() && "67561".parse::<CasNumber>().is_err());
        assert_eq!("1203".parse::<UnNumber>().unwrap().as_str(), "UN1203");
    }

    #[test]
    fn the_rest_is_taken_as_it_is_within_bounds() {
        assert_eq!(kind("industrial", "XK13-003-00001"), ApprovalKind::IndustrialLicence);
        assert!(refused("industrial", "XK13-3-1").contains("XK13"));
        assert_eq!(kind("agri", "12345678901234567"), ApprovalKind::Organic);
        assert!(refused("agri", "123456").contains("17 位"));
        assert_eq!(kind("rare_earth", "示例指标(2026)1号"), ApprovalKind::Other);
        assert!(refused("rare_earth", &"9".repeat(61)).contains("60"));
        assert!(refused("industrial", " ").contains("60"));
    }
}
