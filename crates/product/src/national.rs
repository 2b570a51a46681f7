//! 国家分类: the part of the catalogue that ships with the product, brought into the database when
//! the application starts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use yj_kernel::{App, DataClass, Problem, Result, Sql, SqlValue, Tx, insert_rows};

use crate::{
    catalogue::catalogue_code,
    catalogue_scope::Span,
    edition::{self, Edition, day},
};

const FILE: &str = include_str!("../../../data/catalogue/national.csv");
/// Since when the national classes are in scope: GB/T 38157—2019 came into force.
const SINCE: &str = "2019-10-18";
/// Who signs what ships with the product.
const HAND: &str = "catalogue";

/// Code, name, and the mapping columns.
type Line<'a> = (&'a str, &'a str, [Option<String>; 4]);

fn lines() -> Result<Vec<Line<'static>>> {
    let read = |line: &'static str| {
        let cells: Vec<_> = line.split(',').collect();
        let [code, name, mappings @ ..] = cells.as_slice() else {
            return Err(Problem::internal(format!("national.csv: {line}")));
        };
        let mappings: &[&str; 4] = mappings.try_into().map_err(Problem::internal)?;
        let mappings = mappings.map(|cell| (!cell.is_empty()).then(|| String::from(cell)));
        Ok((*code, *name, mappings))
    };
    FILE.lines().skip(1).map(read).collect()
}

/// Brings the national classes into the catalogue, as its first version; later those that a new
/// release of the product adds or words differently, as the next. Does nothing where nothing is
/// new.
pub async fn seed_catalogue(app: &App) -> Result<()> {
    let ctx = app.on_own_behalf(HAND);
    let mut tx = ctx.begin().await?;
    edition::hold_versions(&mut tx).await?;
    let known = known(&mut tx).await?;
    let taken = taken(&mut tx).await?;
    let first = known.is_empty();
    let since = day(SINCE)?;
    let (last, last_day) = edition::last_version(&mut tx).await?;
    let (number, effective_on) =
        if first { (last, since) } else { (last + 1, ctx.today().max(last_day)) };
    let from = if first { since } else { effective_on };
    let (mut added, mut editions) = (Vec::new(), Vec::new());
    for (code, name, mappings) in lines()? {
        let span = match known.get(code) {
            Some((known, _)) if (known.0 == name) && (known.1 == mappings) => continue,
            Some((_, span)) => *span,
            // A locality had it before there was a national variety of this number.
            None if taken.contains(code) => continue,
            None => Span { from, until: None },
        };
        let edition = Edition {
            code: String::from(code),
            number,
            name: String::from(name),
            region: None,
            mappings,
            span,
        };
        if known.contains_key(code) {
            reword(&mut tx, &edition, ctx.now_ms()).await?;
        } else {
            added.push(row(&edition, (ctx.new_id::<()>().to_string(), ctx.now_ms()))?);
        }
        editions.push(edition);
    }
    if editions.is_empty() {
        return Ok(());
    }
    let insert = "INSERT INTO catalogue (id, version, created_at, created_by, updated_at, \
                  updated_by, label, code, name, parent_code, level, gbt7635_1, gpc_brick, hs6, \
                  legal_list, in_scope_from, edition, draft)";
    tx.execute_all(insert_rows(insert, "", added)).await?;
    edition::record(&ctx, &mut tx, (number, effective_on, "国家分类"), &editions).await?;
    tx.commit().await
}

type Known = BTreeMap<String, ((String, [Option<String>; 4]), Span)>;

async fn known(tx: &mut Tx) -> Result<Known> {
    let sql = "SELECT code, name, gbt7635_1, gpc_brick, hs6, legal_list, in_scope_from, \
               out_of_scope_from FROM catalogue WHERE region IS NULL";
    let mut known = BTreeMap::new();
    for row in tx.fetch(Sql::new(sql)).await? {
        let text = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
        let until: Option<Date> = row.text_opt(7)?.map(day).transpose()?;
        let span = Span { from: day(row.text(6)?)?, until };
        let said = (String::from(row.text(1)?), [text(2)?, text(3)?, text(4)?, text(5)?]);
        known.insert(String::from(row.text(0)?), (said, span));
    }
    Ok(known)
}

/// Codes of local classes.
async fn taken(tx: &mut Tx) -> Result<BTreeSet<String>> {
    let rows = tx.fetch(Sql::new("SELECT code FROM catalogue WHERE region IS NOT NULL")).await?;
    rows.iter().map(|row| row.text(0).map(String::from)).collect()
}

fn row(edition: &Edition, (id, now): (String, i64)) -> Result<Vec<SqlValue>> {
    let code = catalogue_code(&edition.code)?;
    let level = i64::try_from(code.level()).map_err(Problem::internal)?;
    let mut row: Vec<SqlValue> = vec![
        id.into(),
        1_i64.into(),
        now.into(),
        HAND.into(),
        now.into(),
        HAND.into(),
        DataClass::Internal.level().into(),
        code.as_str().into(),
        edition.name.as_str().into(),
        code.parent().map(|parent| String::from(parent.as_str())).into(),
        level.into(),
    ];
    row.extend(edition.mappings.iter().map(|mapping| mapping.as_deref().into()));
    row.extend([edition.span.from.to_string().into(), edition.number.into(), false.into()]);
    Ok(row)
}

async fn reword(tx: &mut Tx, edition: &Edition, now: i64) -> Result<()> {
    let sql = Sql::new(
        "UPDATE catalogue SET version = version + 1, updated_at = $1, updated_by = $2, name = $3, \
         gbt7635_1 = $4, gpc_brick = $5, hs6 = $6, legal_list = $7, edition = $8 WHERE code = $9",
    );
    let sql = sql.arg(now).arg(HAND).arg(edition.name.as_str());
    let [gbt, gpc, hs6, legal] = &edition.mappings;
    let sql = sql.arg(gbt.as_deref()).arg(gpc.as_deref()).arg(hs6.as_deref());
    let sql = sql.arg(legal.as_deref()).arg(edition.number).arg(edition.code.as_str());
    tx.execute(sql).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_national_file_holds_legal_classes_each_below_another() {
        let lines = lines().unwrap();
        let codes: BTreeSet<_> = lines.iter().map(|(code, ..)| *code).collect();
        assert_eq!(codes.len(), lines.len());
        let domains = lines.iter().filter(|(code, ..)| code.len() == 2);
        let domains: Vec<_> = domains.map(|(_, name, _)| *name).collect();
        assert_eq!(domains, yj_model::DOMAINS.iter().map(|(_, label)| *label).collect::<Vec<_>>());
        for (code, name, mappings) in lines {
            let code = catalogue_code(code).unwrap();
            assert!(code.level() <= 4 && !name.is_empty(), "{code:?}");
            let parent = code.parent();
            assert!(parent.is_none_or(|parent| codes.contains(parent.as_str())), "{code:?}");
            // No locality may give a class of its own such a code.
            assert!(code.require_local().is_err() || code.require_new().is_err(), "{code:?}");
            // 章, 品目 or 子目, as far down as a class lies within one.
            let hs = mappings[2].as_deref().unwrap_or("000000");
            assert!([2, 4, 6].contains(&hs.len()), "{hs}");
            assert!(hs.bytes().all(|byte| byte.is_ascii_digit()), "{hs}");
        }
    }
}
