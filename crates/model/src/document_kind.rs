//! 凭证种类 (handbook §4.1, §4.6, §1.10): the papers that go with batches, as packs, events and the register
//! name them.

use serde::{Serialize, Serializer};

/// 凭证种类
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentKind {
    /// 承诺达标合格证
    Commitment,
    /// 动物检疫证明
    Quarantine,
    /// 肉品品质检验证
    MeatInspection,
    /// 产地证明
    Origin,
    /// 检测报告
    TestReport,
    /// 运单
    Waybill,
    /// 进货凭证
    Purchase,
    /// 许可证
    Licence,
    /// 批签发证明
    LotRelease,
    /// 产品合格证明
    Certificate,
}

impl DocumentKind {
    /// Every kind, in the order of [`DocumentKind::CODES`].
    pub const ALL: [Self; 10] = [
        Self::Commitment,
        Self::Quarantine,
        Self::MeatInspection,
        Self::Origin,
        Self::TestReport,
        Self::Waybill,
        Self::Purchase,
        Self::Licence,
        Self::LotRelease,
        Self::Certificate,
    ];

    /// Codes and 中文名称.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("commitment", "承诺达标合格证"),
        ("quarantine", "动物检疫证明"),
        ("meat_inspection", "肉品品质检验证"),
        ("origin", "产地证明"),
        ("test_report", "检测报告"),
        ("waybill", "运单"),
        ("purchase", "进货凭证"),
        ("licence", "许可证"),
        ("lot_release", "批签发证明"),
        ("certificate", "产品合格证明"),
    ];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        Self::CODES[self as usize].0
    }

    /// 中文名称
    pub const fn label(self) -> &'static str {
        Self::CODES[self as usize].1
    }

    /// The kind of a stable code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The kind that somebody's word means: its code, its name, or a usual shorter one; also the label
    /// of a pack's field that holds its number.
    pub fn meant(word: &str) -> Option<Self> {
        let word = word.trim().trim_end_matches('号').trim_end_matches('编');
        let exact = Self::ALL.into_iter().find(|kind| kind.code() == word || kind.label() == word);
        exact.or(match word {
            "合格证" => Some(Self::Commitment),
            "检疫证" | "产地检疫证" | "动物检疫证" => Some(Self::Quarantine),
            "检验报告" => Some(Self::TestReport),
            "电子运单" => Some(Self::Waybill),
            "购买许可证或备案证明" | "出口许可证" => Some(Self::Licence),
            "批签发" => Some(Self::LotRelease),
            "产品合格证" | "质量证明书" => Some(Self::Certificate),
            _ => None,
        })
    }
}

impl Serialize for DocumentKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::DocumentKind;

    #[test]
    fn a_word_means_a_kind_or_none() {
        for (kind, (code, label)) in DocumentKind::ALL.iter().zip(DocumentKind::CODES) {
            assert_eq!((kind.code(), kind.label()), (*code, *label));
            assert_eq!(DocumentKind::meant(label), Some(*kind));
            assert_eq!(DocumentKind::from_code(code), Some(*kind));
        }
        for (word, kind) in [
            ("承诺达标合格证号", Some(DocumentKind::Commitment)),
            ("检验报告编号", Some(DocumentKind::TestReport)),
            ("运单号", Some(DocumentKind::Waybill)),
            ("质量证明书编号", Some(DocumentKind::Certificate)),
            ("报告编号", None),
            ("voucher", None),
        ] {
            assert_eq!(DocumentKind::meant(word), kind, "{word}");
        }
    }
}
