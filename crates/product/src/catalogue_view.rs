//! The catalogue as somebody sees it: the national classes, and of the local ones those of regions
//! that touch the reader's own.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};
use yj_kernel::{Ctx, Limit, Problem, Resource, Result, Row, Sql, Tx};
use yj_model::RegionCode;

use crate::{
    catalogue::CLASSES_MAX,
    catalogue_scope::Span,
    edition::{self, Edition, day},
    product::Product,
};

/// Which local classes a reader sees.
pub(crate) enum Reach {
    /// All.
    Everything,
    /// Those of regions that hold one of these, or lie in one of these.
    Of(Vec<RegionCode>),
}

impl Reach {
    /// The regions of the caller's right; for the people of an enterprise, those of its subjects.
    pub(crate) async fn of(ctx: &Ctx, tx: &mut Tx) -> Result<Self> {
        let (mut regions, mut subjects) = (Vec::new(), Vec::new());
        for limit in ctx.scope().limits() {
            match limit {
                Limit { region: Some(region), .. } => regions.push(region.clone()),
                Limit { organization: Some(within), .. } => {
                    subjects.extend(within.subjects.iter().map(String::as_str));
                }
                _ => return Ok(Self::Everything),
            }
        }
        if !subjects.is_empty() {
            for subject in yj_subject::by_ids(tx, &subjects).await?.into_values() {
                regions.push(subject.region.parse().map_err(Problem::internal)?);
            }
        }
        regions.sort_unstable();
        regions.dedup();
        Ok(Self::Of(regions))
    }

    pub(crate) fn sees(&self, owner: Option<&RegionCode>) -> bool {
        let (Self::Of(regions), Some(owner)) = (self, owner) else { return true };
        regions.iter().any(|region| owner.covers(region.as_str()) || region.covers(owner.as_str()))
    }
}

/// A class as it stands, drafts included.
pub(crate) struct Class {
    pub(crate) id: String,
    pub(crate) version: i64,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) region: Option<RegionCode>,
    pub(crate) mappings: [Option<String>; 4],
    pub(crate) span: Span,
    pub(crate) edition: Option<i64>,
    pub(crate) draft: bool,
}

const CLASS: &str = "SELECT id, version, code, name, region, gbt7635_1, gpc_brick, hs6, \
                     legal_list, in_scope_from, out_of_scope_from, edition, draft FROM catalogue";

impl Class {
    fn read(row: &Row) -> Result<Self> {
        let text = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
        Ok(Self {
            id: String::from(row.text(0)?),
            version: row.int(1)?,
            code: String::from(row.text(2)?),
            name: String::from(row.text(3)?),
            region: row.text_opt(4)?.map(str::parse).transpose().map_err(Problem::internal)?,
            mappings: [text(5)?, text(6)?, text(7)?, text(8)?],
            span: Span { from: day(row.text(9)?)?, until: row.text_opt(10)?.map(day).transpose()? },
            edition: row.int_opt(11)?,
            draft: row.int(12)? != 0,
        })
    }

    /// One class that the caller may see.
    pub(crate) async fn find(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Self> {
        let mut sql = Sql::new(CLASS);
        sql.push(" WHERE id = ").bind(id);
        let row = tx.fetch_one(sql).await?.ok_or(Problem::NotFound("产品分类"))?;
        let class = Self::read(&row)?;
        let reach = Reach::of(ctx, tx).await?;
        if reach.sees(class.region.as_ref()) {
            Ok(class)
        } else {
            Err(Problem::NotFound("产品分类"))
        }
    }

    pub(crate) fn json(&self) -> Value {
        let edition = Edition {
            code: self.code.clone(),
            number: self.edition.unwrap_or(0),
            name: self.name.clone(),
            region: self.region.clone(),
            mappings: self.mappings.clone(),
            span: self.span,
        };
        let mut answer = content(&edition);
        answer["id"] = json!(self.id);
        answer["version"] = json!(self.version);
        answer["edition"] = json!(self.edition);
        answer["draft"] = json!(self.draft);
        answer
    }
}

/// What a class says, wherever it stands.
pub(crate) fn content(edition: &Edition) -> Value {
    let [gbt7635_1, gpc_brick, hs6, legal_list] = &edition.mappings;
    let parent = (edition.code.len() > 2).then(|| &edition.code[..edition.code.len() - 2]);
    json!({
        "code": edition.code, "name": edition.name, "parent_code": parent,
        "level": edition.code.len() / 2, "national": edition.region.is_none(),
        "region": edition.region, "gbt7635_1": gbt7635_1, "gpc_brick": gpc_brick, "hs6": hs6,
        "legal_list": legal_list, "in_scope_from": edition.span.from.to_string(),
        "out_of_scope_from": edition.span.until.map(|until| until.to_string()),
        "edition": edition.number,
    })
}

/// The whole tree that the caller sees, as it stands or as one version has it, each class with
/// whether it is open to new products today and how many of the products that the caller may see
/// are in it or below.
pub(crate) async fn tree(ctx: &Ctx, tx: &mut Tx, version: Option<i64>) -> Result<Value> {
    let (reach, today) = (Reach::of(ctx, tx).await?, ctx.today());
    let (current, effective_on) = edition::in_force(tx, today).await?;
    let open = edition::classes_of(tx, current).await?;
    let counts = products(ctx, tx).await?;
    let mut items: Vec<Value> = if let Some(number) = version {
        let classes = edition::classes_of(tx, number).await?;
        classes.values().filter(|class| reach.sees(class.region.as_ref())).map(content).collect()
    } else {
        let mut sql = Sql::new(CLASS);
        sql.push(" ORDER BY code LIMIT ").bind(CLASSES_MAX);
        let rows = tx.fetch(sql).await?;
        let classes = rows.iter().map(Class::read).collect::<Result<Vec<_>>>()?;
        classes.iter().filter(|class| reach.sees(class.region.as_ref())).map(Class::json).collect()
    };
    for item in &mut items {
        let code = String::from(item["code"].as_str().unwrap_or_default());
        item["in_scope"] = json!(is_open(&open, &code, today));
        item["products"] = json!(counts.as_ref().map(|counts| below(counts, &code)));
    }
    Ok(json!({
        "items": items, "in_force": { "number": current, "effective_on": effective_on },
    }))
}

/// Whether new products may name a class: it and all above it are published and in scope.
fn is_open(classes: &BTreeMap<String, Edition>, code: &str, today: Date) -> bool {
    (2..=code.len())
        .step_by(2)
        .all(|end| classes.get(&code[..end]).is_some_and(|class| class.span.holds(today)))
}

/// Products of a class and of those below it.
fn below(counts: &BTreeMap<String, i64>, code: &str) -> i64 {
    let from = counts.range(String::from(code)..);
    from.take_while(|(known, _)| known.starts_with(code)).map(|(_, count)| count).sum()
}

/// Products by class, as far as the caller may see them; none without the right to.
async fn products(ctx: &Ctx, tx: &mut Tx) -> Result<Option<BTreeMap<String, i64>>> {
    let Ok(reader) = ctx.under("product:read") else { return Ok(None) };
    let mut sql =
        Sql::new("SELECT catalogue_code, COUNT(*) FROM product WHERE catalogue_code IS NOT NULL");
    reader.scope().narrow(&mut sql, tx, Product::SCOPING);
    sql.push(" GROUP BY catalogue_code");
    let rows = tx.fetch(sql).await?;
    let read = |row: &Row| Ok((String::from(row.text(0)?), row.int(1)?));
    rows.iter().map(read).collect::<Result<_>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_class_is_seen_inside_its_region_and_by_those_above_it() {
        let region = |code: &str| code.parse::<RegionCode>().unwrap();
        let owner = region("610100");
        for (reader, seen) in [("610116", true), ("610000", true), ("610302", false)] {
            assert_eq!(Reach::Of(vec![region(reader)]).sees(Some(&owner)), seen, "{reader}");
        }
        assert!(Reach::Of(Vec::new()).sees(None) && !Reach::Of(Vec::new()).sees(Some(&owner)));
        assert!(Reach::Everything.sees(Some(&owner)));
    }

    #[test]
    fn products_are_counted_with_those_below() {
        let counts = [("0101", 1), ("010106", 2), ("01010601", 3), ("0102", 4)];
        let counts = counts.map(|(code, count)| (String::from(code), count)).into();
        assert_eq!(
            (below(&counts, "0101"), below(&counts, "01"), below(&counts, "02")),
            (6, 10, 0)
        );
    }
}
