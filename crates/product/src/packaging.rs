//! 包装层级: which package holds how many of which. Every package holds a smaller kind, so that
//! packages cannot hold each other in a circle and are never deeper than there are kinds.

use serde::{Deserialize, Serialize};
use yj_kernel::{Codes, Ctx, Problem, Result, Sql, Tx};
use yj_model::Id;

use crate::product::Product;

/// 包装层级, smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackLevel {
    /// 单品
    Item,
    /// 小包装
    Inner,
    /// 中包装
    Middle,
    /// 箱
    Case,
    /// 托盘
    Pallet,
    /// 集装单元
    Container,
}

pub(crate) const PACK_LEVELS: Codes = &[
    ("item", "单品"),
    ("inner", "小包装"),
    ("middle", "中包装"),
    ("case", "箱"),
    ("pallet", "托盘"),
    ("container", "集装单元"),
];

impl PackLevel {
    const ALL: [Self; 6] =
        [Self::Item, Self::Inner, Self::Middle, Self::Case, Self::Pallet, Self::Container];

    fn code(self) -> &'static str {
        PACK_LEVELS[self as usize].0
    }

    fn label(self) -> &'static str {
        PACK_LEVELS[self as usize].1
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.code() == code)
    }
}

/// How many of the next smaller one a package may hold.
const COUNT_MAX: i64 = 1_000_000;

/// What a package says of its content.
pub(crate) struct Packing {
    pub(crate) level: Option<PackLevel>,
    pub(crate) inner: Option<Id<Product>>,
    pub(crate) count: Option<i64>,
}

impl Packing {
    /// What holds of a package alone; or which field is wrong and why.
    fn sound(&self) -> Result<(), (&'static str, String)> {
        match (self.level, self.inner, self.count) {
            (_, None, None) => Ok(()),
            (None, ..) => Err(("pack_level", String::from("填写了内装产品，请同时选择包装层级"))),
            (Some(PackLevel::Item), ..) => Err((
                "inner_id",
                String::from("单品不含内装产品；请选择更大的包装层级或清空内装产品"),
            )),
            (_, None, Some(_)) => {
                Err(("inner_id", String::from("填写了内装数量，请同时填写内装产品")))
            }
            (_, Some(_), None) => Err(("inner_count", String::from("请填写每个包装内装多少个"))),
            (_, _, Some(count)) if !(1..=COUNT_MAX).contains(&count) => {
                Err(("inner_count", format!("内装数量应为 1 至 {COUNT_MAX}")))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a package of one level may hold one of another; or why not.
fn holds(outer: PackLevel, inner: Option<PackLevel>) -> Result<(), String> {
    // What says nothing about packages is sold by the piece.
    let inner = inner.unwrap_or(PackLevel::Item);
    if inner < outer {
        return Ok(());
    }
    Err(format!("{}里装的应是更小的包装，不能是{}", outer.label(), inner.label()))
}

/// Checks a package against those it touches: the one inside, and those that hold it (`own` is its
/// identifier where it is registered already).
pub(crate) async fn check(
    ctx: &Ctx,
    tx: &mut Tx,
    packing: &Packing,
    own: Option<&str>,
) -> Result<()> {
    packing.sound().map_err(|(field, detail)| Problem::invalid(field, detail))?;
    if let (Some(level), Some(inner)) = (packing.level, packing.inner) {
        let missing = || Problem::invalid("inner_id", "没有这个产品，或不在您的数据权限范围内");
        if own == Some(inner.to_string().as_str()) {
            return Err(Problem::invalid("inner_id", "包装不能内装自己"));
        }
        // Of two that change together, the second sees what the first did.
        let mut held: Vec<String> = own.map(String::from).into_iter().collect();
        held.push(inner.to_string());
        held.sort_unstable();
        for id in held {
            tx.lock("product", id).await?;
        }
        let found = tx.get::<Product>(ctx, inner).await.map_err(|problem| match problem {
            Problem::NotFound(_) => missing(),
            other => other,
        })?;
        holds(level, found.data.pack_level)
            .map_err(|detail| Problem::invalid("inner_id", detail))?;
    }
    let Some(own) = own else { return Ok(()) };
    let outer = Sql::new(
        "SELECT pack_level, MIN(code) FROM product WHERE inner_id = $1 GROUP BY pack_level",
    );
    for row in tx.fetch(outer.arg(own)).await? {
        let level = row.text_opt(0)?.and_then(PackLevel::from_code);
        let Some(level) = level else { continue };
        holds(level, packing.level).map_err(|_| {
            let code = row.text(1).unwrap_or_default();
            let detail =
                format!("产品 {code}（{}）内装本产品，本产品的包装层级应更小", level.label());
            Problem::invalid("pack_level", detail)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_the_codes_of_the_description() {
        for level in PackLevel::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), level.code());
            assert_eq!(PackLevel::from_code(level.code()), Some(level));
        }
        assert_eq!(PackLevel::ALL.len(), PACK_LEVELS.len());
    }

    #[test]
    fn a_package_says_what_it_holds_and_how_many() {
        let inner = || Some(Id::from_parts(1, 1));
        let packing = |level, inner, count| Packing { level, inner, count };
        assert!(packing(None, None, None).sound().is_ok());
        assert!(packing(Some(PackLevel::Item), None, None).sound().is_ok());
        assert!(packing(Some(PackLevel::Case), inner(), Some(12)).sound().is_ok());
        for (wrong, field) in [
            (packing(None, inner(), Some(1)), "pack_level"),
            (packing(Some(PackLevel::Item), inner(), Some(1)), "inner_id"),
            (packing(Some(PackLevel::Case), None, Some(1)), "inner_id"),
            (packing(Some(PackLevel::Case), inner(), None), "inner_count"),
            (packing(Some(PackLevel::Case), inner(), Some(0)), "inner_count"),
        ] {
            assert_eq!(wrong.sound().unwrap_err().0, field);
        }
    }

    #[test]
    fn every_package_holds_a_smaller_kind() {
        assert!(holds(PackLevel::Case, Some(PackLevel::Item)).is_ok());
        assert!(holds(PackLevel::Case, None).is_ok());
        for outer in PackLevel::ALL {
            for inner in PackLevel::ALL {
                assert!(!(holds(outer, Some(inner)).is_ok() && holds(inner, Some(outer)).is_ok()));
            }
        }
    }
}
