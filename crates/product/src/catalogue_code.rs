//! 分类代码 (G-6.3.2): two digits for every level, so that the code of a class begins with that of
//! the class above it, and a tree of codes cannot have a cycle.

use yj_model::{DOMAINS, Rejected};

/// Levels of the tree: 领域, 行业, 类, 品种, and one below for localities.
const LEVELS: usize = 5;
/// Levels down to which the national catalogue comes first.
const NATIONAL_LEVELS: usize = 3;
/// The national catalogue numbers its classes below this, localities from it on, so that neither
/// takes what the other may use.
const LOCAL_FROM: u8 = 50;

/// A code of a class: 2, 4, 6, 8 or 10 digits, the first two naming one of the eight domains.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CatalogueCode(String);

impl CatalogueCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// 1 领域, 2 行业, 3 类, 4 品种, 5 地方细分.
    pub fn level(&self) -> usize {
        self.0.len() / 2
    }

    /// The code of the class above; the domains have none.
    pub fn parent(&self) -> Option<Self> {
        (self.level() > 1).then(|| Self(String::from(&self.0[..self.0.len() - 2])))
    }

    /// This code and those above it, the domain first.
    pub fn path(&self) -> impl Iterator<Item = &str> {
        (1..=self.level()).map(|level| &self.0[..level * 2])
    }

    /// The product domain that the class belongs to, as registers name it.
    pub fn domain(&self) -> &'static str {
        let at = self.0[..2].parse::<usize>().unwrap_or(0);
        DOMAINS.get(at.wrapping_sub(1)).map_or("", |(code, _)| code)
    }

    /// Whether a locality may begin a class with this code: of the varieties, national ones are
    /// numbered from [`LOCAL_FROM`] on, for localities had the lower numbers first.
    pub fn require_new(&self) -> Result<(), Rejected> {
        let number: u8 = self.0[self.0.len() - 2..].parse().unwrap_or(0);
        if self.level() == NATIONAL_LEVELS + 1 && number >= LOCAL_FROM {
            let detail = format!(
                "第 {} 级的 {LOCAL_FROM}—99 留给国家品种，地方品种的末两位应为 01—{}",
                self.level(),
                LOCAL_FROM - 1
            );
            return Err(Rejected::new(detail));
        }
        Ok(())
    }

    /// Whether a locality may give this code to a class of its own.
    pub fn require_local(&self) -> Result<(), Rejected> {
        let number: u8 = self.0[self.0.len() - 2..].parse().unwrap_or(0);
        if self.level() == 1 {
            Err(Rejected::new("产品领域由国家规定，地方分类应在其下"))
        } else if self.level() <= NATIONAL_LEVELS && number < LOCAL_FROM {
            let detail = format!(
                "第 {} 级的 01—{} 留给国家分类，地方分类的末两位应为 {LOCAL_FROM}—99",
                self.level(),
                LOCAL_FROM - 1
            );
            Err(Rejected::new(detail))
        } else {
            Ok(())
        }
    }
}

impl std::str::FromStr for CatalogueCode {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Rejected::new("分类代码应全为数字，如 010106"));
        }
        if !text.len().is_multiple_of(2) || text.len() > LEVELS * 2 {
            let detail = format!(
                "分类代码应为 2、4、6、8 或 10 位（上级代码加两位），现为 {} 位",
                text.len()
            );
            return Err(Rejected::new(detail));
        }
        let code = Self(String::from(text));
        if code.domain().is_empty() {
            let detail = format!("前两位应为 01 至 {:02}，即八个产品领域", DOMAINS.len());
            return Err(Rejected::new(detail));
        }
        if code.path().any(|part| part.ends_with("00")) {
            return Err(Rejected::new("每一级的两位应为 01 至 99"));
        }
        Ok(code)
    }
}

/// For field descriptions.
pub(crate) fn normalise(text: &str) -> Result<String, String> {
    let code = text.parse::<CatalogueCode>().map_err(|error| error.to_string())?;
    Ok(String::from(code.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> CatalogueCode {
        text.parse().unwrap()
    }

    #[test]
    fn a_code_says_its_level_parent_and_domain() {
        let leek = code("0101060101");
        assert_eq!((leek.level(), leek.domain()), (5, "agri"));
        assert_eq!(leek.parent(), Some(code("01010601")));
        assert_eq!(
            leek.path().collect::<Vec<_>>(),
            ["01", "0101", "010106", "01010601", "0101060101"]
        );
        assert_eq!(code("01").parent(), None);
        assert_eq!(code("08").domain(), "industrial");
    }

    #[test]
    fn illegal_lengths_letters_and_domains_are_refused() {
        for (text, word) in [
            ("", "数字"),
            ("01a1", "数字"),
            ("010", "现为 3 位"),
            ("010101010101", "现为 12 位"),
            ("09", "01 至 08"),
            ("00", "01 至 08"),
            ("0100", "01 至 99"),
        ] {
            let refused = text.parse::<CatalogueCode>().unwrap_err().to_string();
            assert!(refused.contains(word), "{text}: {refused}");
        }
    }

    #[test]
    fn localities_leave_the_national_numbers_alone() {
        assert!(code("02").require_local().is_err());
        assert!(code("0114").require_local().is_err());
        assert!(code("010149").require_local().is_err());
        assert!(code("0150").require_local().is_ok());
        assert!(code("010150").require_local().is_ok());
        assert!(code("01010601").require_local().is_ok());
        assert!(code("01010649").require_new().is_ok() && code("01010650").require_new().is_err());
    }
}
