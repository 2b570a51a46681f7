//! What is inside the two coupon codes of North America: AI (8110), by the North American Coupon
//! Application Guideline, and AI (8112), by the AI (8112) Coupon Data Specification. Most fields tell
//! their own length in the digit before them.

use super::ai_value::day;
use crate::Rejected;

/// The digits that are not read yet.
struct Digits<'a>(&'a str);

impl<'a> Digits<'a> {
    fn new(text: &'a str) -> Result<Self, Rejected> {
        match text.chars().find(|letter| !letter.is_ascii_digit()) {
            Some(letter) => Err(Rejected(format!("只应含数字，现有 {letter}"))),
            None => Ok(Self(text)),
        }
    }

    /// So many digits.
    fn take(&mut self, count: usize, what: &str) -> Result<&'a str, Rejected> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| {
            Rejected(format!("{what}应为 {count} 位数字，现余 {} 位", self.0.len()))
        })?;
        self.0 = rest;
        Ok(taken)
    }

    /// One digit of those that are allowed.
    fn one_of(&mut self, allowed: &str, what: &str) -> Result<usize, Rejected> {
        let digit = self.take(1, what)?;
        if allowed.contains(digit) {
            return Ok(usize::from(digit.as_bytes()[0] - b'0'));
        }
        let allowed: Vec<String> = allowed.chars().map(String::from).collect();
        Err(Rejected(format!("{what}应为 {} 之一，现为 {digit}", allowed.join("、"))))
    }

    /// A field with the digit that tells its length, which is this many more than the digit says.
    fn measured(&mut self, allowed: &str, more: usize, what: &str) -> Result<(), Rejected> {
        let length = self.one_of(allowed, &format!("{what}的长度指示"))?;
        self.take(length + more, what).map(|_| ())
    }

    /// Whether an optional field with this mark comes next; the mark is then read.
    fn begins(&mut self, mark: char) -> bool {
        let behind = self.0.strip_prefix(mark);
        self.0 = behind.unwrap_or(self.0);
        behind.is_some()
    }

    fn day(&mut self, what: &str) -> Result<&'a str, Rejected> {
        let text = self.take(6, what)?;
        day(text, false).map_err(|error| Rejected(format!("{what}：{error}")))?;
        Ok(text)
    }

    fn end(&self) -> Result<(), Rejected> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Rejected(format!("末尾的 {} 不属于任何字段", self.0)))
    }
}

const ANY: &str = "0123456789";
/// Lengths of a company prefix, less six.
const COMPANY: &str = "0123456";
/// The same, or none.
const COMPANY_OR_NONE: &str = "01234569";
const VALUE: &str = "12345";

/// AI (8110)
pub(super) fn coupon(text: &str) -> Result<(), Rejected> {
    let mut digits = Digits::new(text)?;
    digits.measured(COMPANY, 6, "厂商识别代码")?;
    digits.take(6, "优惠代码")?;
    digits.measured(VALUE, 0, "优惠金额")?;
    purchase(&mut digits, "第一项购买")?;
    if digits.begins('1') {
        digits.one_of("0123", "附加购买规则代码")?;
        purchase(&mut digits, "第二项购买")?;
        company(&mut digits, "第二项购买")?;
    }
    if digits.begins('2') {
        purchase(&mut digits, "第三项购买")?;
        company(&mut digits, "第三项购买")?;
    }
    let last = if digits.begins('3') { Some(digits.day("截止日期")?) } else { None };
    if digits.begins('4') {
        let first = digits.day("起始日期")?;
        if last.is_some_and(|last| first > last) {
            return Err(Rejected::new("截止日期不应早于起始日期"));
        }
    }
    if digits.begins('5') {
        digits.measured(ANY, 6, "序列号")?;
    }
    if digits.begins('6') {
        digits.measured("1234567", 6, "零售商的厂商识别代码或位置码")?;
    }
    if digits.begins('9') {
        digits.one_of("01256", "优惠金额代码")?;
        digits.one_of("012", "优惠所及项目")?;
        digits.one_of(ANY, "本店优惠券标志")?;
        digits.one_of("01", "不得加倍标志")?;
    }
    digits.end()
}

/// How much of which family has to be bought.
fn purchase(digits: &mut Digits<'_>, which: &str) -> Result<(), Rejected> {
    digits.measured(VALUE, 0, &format!("{which}要求"))?;
    digits.one_of("012349", &format!("{which}要求代码"))?;
    digits.take(3, &format!("{which}产品族代码")).map(|_| ())
}

/// Whose goods these are; 9 where nobody is named.
fn company(digits: &mut Digits<'_>, which: &str) -> Result<(), Rejected> {
    let what = format!("{which}的厂商识别代码");
    match digits.one_of(COMPANY_OR_NONE, &format!("{what}的长度指示"))? {
        9 => Ok(()),
        length => digits.take(length + 6, &what).map(|_| ()),
    }
}

/// AI (8112)
pub(super) fn coupon_offer(text: &str) -> Result<(), Rejected> {
    let mut digits = Digits::new(text)?;
    digits.one_of("01", "格式代码")?;
    digits.measured(COMPANY, 6, "出资方代码")?;
    digits.take(6, "优惠代码")?;
    digits.measured(ANY, 6, "序列号")?;
    digits.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(outcome: Result<(), Rejected>) -> String {
        outcome.map_or_else(|error| error.to_string(), |()| String::new())
    }

    /// A sound coupon without optional fields.
    const PLAIN: &str = "012345612345611110123";

    #[test]
    fn ai_8110_is_read_field_by_field_and_says_which_is_wrong() {
        for (text, word) in [
            (PLAIN, ""),
            ("012345", "厂商识别代码应为 6 位数字，现余 5 位"),
            ("71234567890123", "厂商识别代码的长度指示应为 0、1、2、3、4、5、6 之一，现为 7"),
            ("0123456", "优惠代码应为 6 位"),
            ("0123456123456", "优惠金额的长度指示"),
            ("01234561234560", "优惠金额的长度指示应为 1、2、3、4、5 之一，现为 0"),
            ("01234561234561", "优惠金额应为 1 位"),
            ("012345612345611", "第一项购买要求的长度指示"),
            ("0123456123456111", "第一项购买要求应为 1 位"),
            ("01234561234561111", "第一项购买要求代码应为 1 位"),
            ("012345612345611115", "第一项购买要求代码应为 0、1、2、3、4、9 之一，现为 5"),
            ("012345612345611119", "第一项购买产品族代码应为 3 位"),
            ("01234561234561111012a", "只应含数字"),
            ("", "长度指示"),
        ] {
            let said = said(coupon(text));
            assert!(said.contains(word) && said.is_empty() == word.is_empty(), "{text}: {said}");
        }
    }

    #[test]
    fn ai_8110_has_its_optional_fields_in_order_and_nothing_else() {
        for (behind, word) in [
            ("101101232123456", "第二项购买的厂商识别代码应为 8 位"),
            ("101101230123456", ""),
            ("101101239", ""),
            ("2110123612345678901234", "截止日期应为 6 位数字，现余 1 位"),
            ("21101236123456789012", ""),
            ("210", "第三项购买要求代码应为 1 位"),
            ("3500607", ""),
            ("3200010", "截止日期：日期的月份应为 01 至 12，现为 00"),
            ("35006064500607", "截止日期不应早于起始日期"),
            ("35006074500607", ""),
            ("4500600", "起始日期：6 月的日期应为 01 至 30，现为 00"),
            ("50123456", ""),
            ("5", "序列号的长度指示"),
            ("61234567", "零售商的厂商识别代码或位置码应为 7 位"),
            ("611234567", ""),
            ("671234567890123", ""),
            ("60123456", "长度指示应为 1、2、3、4、5、6、7 之一"),
            ("95201", ""),
            ("9", "优惠金额代码应为 1 位"),
            ("93201", "优惠金额代码应为 0、1、2、5、6 之一"),
            ("90000", ""),
            ("900000", "末尾的 0"),
            ("1", "附加购买规则代码应为 1 位"),
            ("14", "附加购买规则代码应为 0、1、2、3 之一"),
            ("0", "末尾的 0 不属于任何字段"),
            ("501234563500607", "末尾的 3500607"),
            ("1011012392110123935006074500607501234566112345679520", "不得加倍标志应为 1 位"),
            ("101101239211012393500607450060750123456611234567", ""),
        ] {
            let said = said(coupon(&format!("{PLAIN}{behind}")));
            assert!(said.contains(word) && said.is_empty() == word.is_empty(), "{behind}: {said}");
        }
    }

    #[test]
    fn ai_8112_is_a_format_a_funder_an_offer_and_a_serial_number() {
        for (text, word) in [
            ("001234561234560123456", ""),
            ("101234561234560123456", ""),
            ("061234567890121234569123456789012345", ""),
            ("201234561234560123456", "格式代码应为 0、1 之一，现为 2"),
            ("0", "出资方代码的长度指示应为 1 位"),
            ("07", "出资方代码的长度指示应为 0、1、2、3、4、5、6 之一"),
            ("01123456", "出资方代码应为 7 位"),
            ("00123456", "优惠代码应为 6 位"),
            ("00123456123456", "序列号的长度指示"),
            ("001234561234560", "序列号应为 6 位"),
            ("0012345612345601234567", "末尾的 7"),
            ("00123456123456012345a", "只应含数字，现有 a"),
        ] {
            let said = said(coupon_offer(text));
            assert!(said.contains(word) && said.is_empty() == word.is_empty(), "{text}: {said}");
        }
    }
}
