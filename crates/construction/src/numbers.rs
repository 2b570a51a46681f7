//! Numbers that devices carry besides their MAC address (handbook §2.10).

/// 国际移动设备识别码: 15 digits, the last a Luhn check.
pub(crate) fn imei(text: &str) -> Result<String, String> {
    let digits: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
    if digits.len() != 15 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(String::from("应为 15 位数字的 IMEI"));
    }
    checked(digits)
}

/// 集成电路卡识别码: 19 or 20 digits, the last a Luhn check.
pub(crate) fn iccid(text: &str) -> Result<String, String> {
    let digits: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
    if !matches!(digits.len(), 19 | 20) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(String::from("应为 19 或 20 位数字的 ICCID"));
    }
    checked(digits)
}

fn checked(digits: String) -> Result<String, String> {
    if luhn(&digits) {
        Ok(digits)
    } else {
        Err(String::from("校验位不符，请核对是否有录入错误"))
    }
}

/// ISO/IEC 7812-1: from the right, every second digit counts twice.
fn luhn(digits: &str) -> bool {
    let mut sum = 0;
    for (index, digit) in digits.bytes().rev().enumerate() {
        let value = u32::from(digit.saturating_sub(b'0'));
        sum += match index % 2 {
            0 => value,
            _ if value > 4 => value * 2 - 9,
            _ => value * 2,
        };
    }
    sum % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_digit_or_length_is_noticed() {
        assert_eq!(imei("49-015420-323751-8"), Ok(String::from("490154203237518")));
        assert!(imei("490154203237517").is_err());
        assert!(imei("49015420323751").is_err());
        assert!(imei("49015420323751A").is_err());
        assert_eq!(iccid("8986 0318 7402 0030 1124"), Ok(String::from("89860318740200301124")));
        assert!(iccid("89860318740200301122").is_err());
        assert!(iccid("8986031874020030").is_err());
    }
}
