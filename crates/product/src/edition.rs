//! 目录版本 (G-6.3.2): what each published version says of each class. Editions are only ever
//! added, so a product's class reads today as it did in the version the product was registered
//! under.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};
use yj_kernel::{
    Ctx, Problem, Result, Row, Scoping, Sql, SqlValue, Tx, audit, insert_rows, outbox, time_text,
};
use yj_model::{RegionCode, UNCLASSED};

use crate::{
    catalogue::{CLASSES_MAX, COLUMNS},
    catalogue_code::CatalogueCode,
    catalogue_scope::Span,
};

/// A class as one version has it.
#[derive(Debug, Clone)]
pub(crate) struct Edition {
    pub(crate) code: String,
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) region: Option<RegionCode>,
    pub(crate) mappings: [Option<String>; 4],
    pub(crate) span: Span,
}

const EDITION: &str = "SELECT code, number, name, region, gbt7635_1, gpc_brick, hs6, legal_list, \
                       in_scope_from, out_of_scope_from FROM catalogue_edition WHERE number <= ";

pub(crate) fn day(text: &str) -> Result<Date> {
    text.parse().map_err(Problem::internal)
}

impl Edition {
    fn read(row: &Row) -> Result<Self> {
        let text = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
        Ok(Self {
            code: String::from(row.text(0)?),
            number: row.int(1)?,
            name: String::from(row.text(2)?),
            region: row.text_opt(3)?.map(str::parse).transpose().map_err(Problem::internal)?,
            mappings: [text(4)?, text(5)?, text(6)?, text(7)?],
            span: Span { from: day(row.text(8)?)?, until: row.text_opt(9)?.map(day).transpose()? },
        })
    }
}

/// The classes of a version by their codes: of each the last edition up to it.
pub(crate) async fn classes_of(tx: &mut Tx, number: i64) -> Result<BTreeMap<String, Edition>> {
    let mut sql = Sql::new(EDITION);
    sql.bind(number).push(" ORDER BY code, number");
    latest(&tx.fetch(sql).await?)
}

/// The classes of the version in force on a day as a code list, with what is in none; a name that
/// several classes have comes with its code. Drafts are in no list: it grows with every version only.
pub(crate) async fn codes(tx: &mut Tx, day: Date) -> Result<Vec<(String, String)>> {
    let sql = Sql::new(
        "SELECT code, name FROM catalogue_edition WHERE number <= (SELECT MAX(number) \
         FROM catalogue_version WHERE effective_on <= $1) ORDER BY code, number",
    );
    let mut names = BTreeMap::new();
    for row in tx.fetch(sql.arg(day.to_string())).await? {
        names.insert(String::from(row.text(0)?), String::from(row.text(1)?));
    }
    let mut times = BTreeMap::<&str, usize>::new();
    for name in names.values() {
        *times.entry(name).or_default() += 1;
    }
    let label = |code: &str, name: &str| match times.get(name) {
        Some(1) => String::from(name),
        _ => format!("{name}（{code}）"),
    };
    let classes = names.iter().map(|(code, name)| (code.clone(), label(code, name)));
    let none = UNCLASSED.iter().map(|(code, name)| (String::from(*code), String::from(*name)));
    Ok(classes.chain(none).collect())
}

/// What a version calls a class.
pub(crate) async fn name_of(
    tx: &mut Tx,
    code: &CatalogueCode,
    version: i64,
) -> Result<Option<String>> {
    let sql = Sql::new(
        "SELECT name FROM catalogue_edition WHERE code = $1 AND number <= $2 \
         ORDER BY number DESC LIMIT 1",
    );
    let row = tx.fetch_one(sql.arg(code.as_str()).arg(version)).await?;
    row.map(|row| row.text(0).map(String::from)).transpose()
}

/// What the versions have said of one class, oldest first.
pub(crate) async fn history(tx: &mut Tx, code: &str) -> Result<Vec<Edition>> {
    let mut sql = Sql::new(EDITION);
    sql.bind(i64::MAX).push(" AND code = ").bind(code).push(" ORDER BY number LIMIT ");
    sql.bind(VERSIONS_MAX);
    tx.fetch(sql).await?.iter().map(Edition::read).collect()
}

fn latest(rows: &[Row]) -> Result<BTreeMap<String, Edition>> {
    let mut found = BTreeMap::new();
    for row in rows {
        let edition = Edition::read(row)?;
        found.insert(edition.code.clone(), edition);
    }
    Ok(found)
}

/// The number of the version in force on a day, and since when.
pub(crate) async fn in_force(tx: &mut Tx, day: Date) -> Result<(i64, String)> {
    let sql = Sql::new(
        "SELECT number, effective_on FROM catalogue_version WHERE effective_on <= $1 \
         ORDER BY number DESC LIMIT 1",
    );
    let row = tx.fetch_one(sql.arg(day.to_string())).await?;
    let row = row.ok_or_else(|| {
        Problem::Conflict(String::from("今天还没有生效的产品分类目录，请核对服务器时间"))
    })?;
    Ok((row.int(0)?, String::from(row.text(1)?)))
}

/// A class that a product may name, and the version that says so.
pub(crate) struct Admitted {
    pub(crate) version: i64,
    pub(crate) name: String,
}

/// The class that a product of this domain and region names today; or why it may not.
pub(crate) async fn admit(
    ctx: &Ctx,
    tx: &mut Tx,
    code: &CatalogueCode,
    (domain, region): (&str, &RegionCode),
) -> Result<Admitted> {
    let today = ctx.today();
    let (version, _) = in_force(tx, today).await?;
    let mut sql = Sql::new(EDITION);
    sql.bind(version).push(" AND code ").bind_texts(code.path());
    sql.push(" ORDER BY code, number");
    let mut classes = latest(&tx.fetch(sql).await?)?;
    admissible(&classes, code, (domain, region), today).map_err(|detail| {
        Problem::invalid("catalogue_code", format!("{detail}（目录第 {version} 版）"))
    })?;
    let name = classes.remove(code.as_str()).map_or_else(String::new, |class| class.name);
    Ok(Admitted { version, name })
}

/// Whether a class and all above it are there, in scope, and of this domain and region.
fn admissible(
    classes: &BTreeMap<String, Edition>,
    code: &CatalogueCode,
    (domain, region): (&str, &RegionCode),
    today: Date,
) -> Result<(), String> {
    if code.domain() != domain {
        let found = yj_model::DOMAINS.iter().find(|(known, _)| *known == code.domain());
        let found = found.map_or("", |(_, label)| label);
        return Err(format!("产品分类：{} 属于{found}，与所填产品领域不一致", code.as_str()));
    }
    if code.level() < 2 {
        return Err(String::from("产品分类：请选到行业（4 位代码）或更细的分类"));
    }
    for part in code.path() {
        let here = |class: &&Edition| {
            class.region.as_ref().is_none_or(|owner| owner.covers(region.as_str()))
        };
        let class = classes.get(part).filter(here);
        let class = class
            .ok_or_else(|| format!("产品分类：没有已发布的分类 {part}，或不适用于产品所属区域"))?;
        if !class.span.holds(today) {
            return Err(match class.span.until {
                Some(until) if until <= today => {
                    format!("产品分类：{part} {} 自 {until} 起移出追溯范围", class.name)
                }
                _ => format!(
                    "产品分类：{part} {} 自 {} 起才纳入追溯范围",
                    class.name, class.span.from
                ),
            });
        }
    }
    Ok(())
}

/// Furthest day from which a version may take effect, in days from today.
const AHEAD_DAYS: i32 = 366;
/// Versions shown.
const VERSIONS_MAX: i64 = 200;

/// The published versions, newest first.
pub(crate) async fn versions(tx: &mut Tx) -> Result<Vec<Value>> {
    let sql = Sql::new(
        "SELECT number, effective_on, published_at, published_by, note, classes \
         FROM catalogue_version ORDER BY number DESC LIMIT $1",
    );
    let read = |row: &Row| {
        Ok(json!({
            "number": row.int(0)?, "effective_on": row.text(1)?,
            "published_at": time_text(row.int(2)?)?, "published_by": row.text(3)?,
            "note": row.text(4)?, "classes": row.int(5)?,
        }))
    };
    tx.fetch(sql.arg(VERSIONS_MAX)).await?.iter().map(read).collect()
}

/// Holds the row that all publishing passes through.
pub(crate) async fn hold_versions(tx: &mut Tx) -> Result<()> {
    let mut sql = Sql::new("SELECT number FROM catalogue_version WHERE number = 1");
    let for_update = tx.dialect().for_update();
    sql.push(for_update);
    tx.fetch_one(sql).await.map(drop)
}

/// The last version: its number and the day from which it holds.
pub(crate) async fn last_version(tx: &mut Tx) -> Result<(i64, Date)> {
    let sql = "SELECT number, effective_on FROM catalogue_version ORDER BY number DESC LIMIT 1";
    let row = tx.fetch_one(Sql::new(sql)).await?;
    let row = row.ok_or_else(|| Problem::internal("catalogue_version is empty"))?;
    Ok((row.int(0)?, day(row.text(1)?)?))
}

/// 发布: all drafts within reach become part of the next version. Returns its number and how many
/// classes it changes.
pub(crate) async fn publish(
    ctx: &Ctx,
    tx: &mut Tx,
    (effective_on, note): (Date, &str),
) -> Result<(i64, usize)> {
    hold_versions(tx).await?;
    let (last, since) = last_version(tx).await?;
    require_day(effective_on, since, ctx.today())?;
    let drafts = drafts(ctx, tx).await?;
    if drafts.is_empty() {
        return Err(Problem::Conflict(String::from("没有待发布的分类")));
    }
    require_parents(tx, &drafts).await?;
    let number = last + 1;
    record(ctx, tx, (number, effective_on, note), &drafts).await?;
    let mut sql = Sql::new("UPDATE catalogue SET draft = 0, edition = ");
    sql.bind(number).push(", version = version + 1, updated_at = ").bind(ctx.now_ms());
    sql.push(", updated_by = ").bind(ctx.actor());
    sql.push(" WHERE code ").bind_texts(drafts.iter().map(|draft| draft.code.as_str()));
    tx.execute(sql).await?;
    Ok((number, drafts.len()))
}

fn require_day(wanted: Date, since: Date, today: Date) -> Result<()> {
    let ahead = today.saturating_add(jiff::Span::new().days(AHEAD_DAYS));
    let wrong = |detail: String| Err(Problem::invalid("effective_on", detail));
    if wanted < today {
        return wrong(format!("生效日期不能早于今天（{today}）"));
    }
    if wanted < since {
        return wrong(format!("生效日期不能早于上一版的生效日期（{since}）"));
    }
    if wanted > ahead {
        return wrong(format!("生效日期不能晚于 {ahead}"));
    }
    Ok(())
}

/// The drafts that the caller's right reaches. National classes have only their scope to change,
/// which whoever publishes may do.
async fn drafts(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<Edition>> {
    let mut sql = Sql::new(
        "SELECT code, 0, name, region, gbt7635_1, gpc_brick, hs6, legal_list, in_scope_from, \
         out_of_scope_from FROM catalogue WHERE draft = 1 AND (region IS NULL OR (1 = 1",
    );
    ctx.scope().narrow(&mut sql, tx, Scoping::By(COLUMNS));
    sql.push(")) ORDER BY code LIMIT ").bind(CLASSES_MAX);
    tx.fetch(sql).await?.iter().map(Edition::read).collect()
}

/// A class is published with or after the one above it.
async fn require_parents(tx: &mut Tx, drafts: &[Edition]) -> Result<()> {
    let sql = "SELECT c.code, p.code, p.name FROM catalogue c JOIN catalogue p \
               ON p.code = c.parent_code WHERE c.draft = 1 AND p.edition IS NULL ORDER BY c.code";
    let among = |code: &str| drafts.iter().any(|draft| draft.code == code);
    for row in tx.fetch(Sql::new(sql)).await? {
        if among(row.text(0)?) && !among(row.text(1)?) {
            let detail = format!(
                "{} 的上级分类 {} {} 尚未发布，且不在您的数据权限范围内，请由其所属区域先发布",
                row.text(0)?,
                row.text(1)?,
                row.text(2)?
            );
            return Err(Problem::Conflict(detail));
        }
    }
    Ok(())
}

/// Writes a version with its editions, the audit entry and the announcement.
pub(crate) async fn record(
    ctx: &Ctx,
    tx: &mut Tx,
    (number, effective_on, note): (i64, Date, &str),
    editions: &[Edition],
) -> Result<()> {
    let count = i64::try_from(editions.len()).map_err(Problem::internal)?;
    let sql = Sql::new(
        "INSERT INTO catalogue_version (number, effective_on, published_at, published_by, note, \
         classes) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (number) DO UPDATE \
         SET published_at = excluded.published_at, published_by = excluded.published_by, \
         classes = excluded.classes",
    );
    let sql = sql.arg(number).arg(effective_on.to_string()).arg(ctx.now_ms()).arg(ctx.actor());
    tx.execute(sql.arg(note).arg(count)).await?;
    let row = |edition: &Edition| {
        let mut row: Vec<SqlValue> = vec![
            edition.code.as_str().into(),
            number.into(),
            edition.name.as_str().into(),
            edition.region.as_ref().map(RegionCode::as_str).into(),
        ];
        row.extend(edition.mappings.iter().map(|mapping| mapping.as_deref().into()));
        row.push(edition.span.from.to_string().into());
        row.push(edition.span.until.map(|until| until.to_string()).into());
        row
    };
    let insert = "INSERT INTO catalogue_edition (code, number, name, region, gbt7635_1, gpc_brick, \
                  hs6, legal_list, in_scope_from, out_of_scope_from)";
    tx.execute_all(insert_rows(insert, "", editions.iter().map(row).collect())).await?;
    let body = json!({
        "number": number, "effective_on": effective_on.to_string(), "note": note,
        "classes": count,
    });
    let record = number.to_string();
    let (action, entity) = ("published", "catalogue");
    audit::write(ctx, tx, audit::Entry { action, entity, record: &record, body: body.clone() });
    outbox::announce(ctx, tx, (entity, action), &record, &body);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(code: &str, region: Option<&str>, span: (&str, Option<&str>)) -> (String, Edition) {
        let span =
            Span { from: day(span.0).unwrap(), until: span.1.map(|until| day(until).unwrap()) };
        let edition = Edition {
            code: String::from(code),
            number: 1,
            name: String::from("示例分类"),
            region: region.map(|code| code.parse().unwrap()),
            mappings: [const { None }; 4],
            span,
        };
        (String::from(code), edition)
    }

    #[test]
    fn a_product_names_a_class_that_is_there_here_and_in_scope_with_all_above_it() {
        let always = ("2019-10-18", None);
        let classes = BTreeMap::from([
            class("01", None, always),
            class("0101", None, ("2019-10-18", Some("2026-12-01"))),
            class("010106", None, always),
            class("01010601", Some("610100"), always),
            class("010107", None, ("2027-01-01", None)),
        ]);
        let here: RegionCode = "610116".parse().unwrap();
        let ask = |code: &str, domain: &str, region: &RegionCode, today: &str| {
            let code = code.parse().unwrap();
            admissible(&classes, &code, (domain, region), day(today).unwrap())
        };
        assert_eq!(ask("01010601", "agri", &here, "2026-11-19"), Ok(()));
        for (code, domain, region, today, word) in [
            ("01010601", "food", "610116", "2026-11-19", "食用农产品"),
            ("01", "agri", "610116", "2026-11-19", "请选到行业"),
            ("01010601", "agri", "610302", "2026-11-19", "不适用"),
            ("01010602", "agri", "610116", "2026-11-19", "没有已发布"),
            ("010106", "agri", "610116", "2026-12-01", "0101 示例分类 自 2026-12-01 起移出"),
            ("010107", "agri", "610116", "2026-11-19", "起才纳入"),
        ] {
            let refused = ask(code, domain, &region.parse().unwrap(), today).unwrap_err();
            assert!(refused.contains(word), "{code}: {refused}");
        }
    }

    #[test]
    fn a_version_takes_effect_today_or_later_and_never_before_the_last() {
        let [early, today, late] =
            ["2026-11-18", "2026-11-19", "2026-12-01"].map(|text| day(text).unwrap());
        assert!(require_day(today, early, today).is_ok());
        assert!(require_day(early, early, today).is_err());
        assert!(require_day(today, late, today).is_err());
        assert!(require_day(late, late, today).is_ok());
        assert!(require_day(day("2028-01-01").unwrap(), early, today).is_err());
    }
}
