//! 登记信息分析 (G-6.2.4): how many records of a list there are, by one or two of their fields;
//! number, share and, by time, trend. Every figure comes with the conditions of the list it counts.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Json, extract::RawQuery, http::Method};
use jiff::civil::Date;
use serde_json::{Value, json};
use yj_model::{STAGES, regions};

use crate::{
    Access, Ctx, DataClass, Dialect, Entity, Field, Kind, Match, Param, Problem, Reach, Result,
    Route, Scoping, Sql, Tx, called,
    code_list::{self, trunk},
    db::Cell,
    field::time_text,
    json::Object,
    listing::{CREATED, Listing, apart},
    period::Period,
    record,
};

/// Dimensions of one question.
const DIMENSIONS_MAX: usize = 2;
/// Groups that the database may find; more are no figure any more.
const GROUPS_MAX: usize = 20_000;

/// Groups by codes of an open list, such as 行业代码; the rest are one group.
const CODES_MAX: usize = 20;
/// What the rest are called.
const REST: &str = "其他";

/// 追溯环节 of a register that knows it by something else, such as roles (G-6.2.4).
static STAGE: Field =
    Field::new("stage", "追溯环节", Kind::CodeList(STAGES)).filter(Match::Contains);

/// How an indicator is drawn.
const CHARTS: [&str; 4] = ["bar", "line", "pie", "table"];

/// `figures` of a register.
pub(crate) fn routes(entity: &'static Entity) -> Vec<Route> {
    let figures = move |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let query = query.unwrap_or_default();
        let mut tx = ctx.snapshot().await?;
        Ok::<_, Problem>(Json(answer(&ctx, &mut tx, entity, &query).await?))
    };
    let path = (Method::GET, format!("/api/v1/{}/figures", entity.table));
    let read = Access::Permission(entity.permission("read"));
    vec![Route::new(path, read, format!("{}统计", entity.title), figures).query(&[
        Param {
            name: "by",
            label: "统计维度，至多两个，以逗号分隔，如 kind,region:city、stage 或 filed_on:month；\
                    代码文本只分出最多的 20 组，其余合为“其他”",
            required: false,
        },
        Param {
            name: "part",
            label: "分子的查询条件，如 kind=01；给出时另答其数量与占比",
            required: false,
        },
    ])]
}

/// How finely a dimension tells records apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grain {
    /// By the value itself.
    Value,
    /// By each code of a list: a record counts once for every one.
    Each,
    /// By each stage that the register's own words mean: a record counts once for every one.
    Stage,
    /// By codes of an open list: the most frequent, and the rest.
    Codes,
    /// By so many first digits of the 行政区划代码.
    Digits(usize),
    /// By period.
    Period(Period),
}

/// One field that records are told apart by.
#[derive(Debug, Clone, Copy)]
struct Dimension {
    field: &'static Field,
    grain: Grain,
}

impl Dimension {
    /// `kind`, `region:city`, `filed_on:month`.
    fn parse(ctx: &Ctx, entity: &'static Entity, text: &str) -> Result<Self> {
        let (name, grain) = match text.split_once(':') {
            Some((name, grain)) => (name, Some(grain)),
            None => (text, None),
        };
        if name == STAGE.name && grain.is_none() && entity.field(name).is_none() {
            return match stage_words(entity) {
                Some(_) => Ok(Self { field: &STAGE, grain: Grain::Stage }),
                None => Err(Problem::invalid("by", format!("{}没有追溯环节", entity.title))),
            };
        }
        let own = entity.field(name).or_else(|| (name == CREATED.name).then_some(&CREATED));
        let hidden = record::hidden(ctx, entity).any(|hidden| hidden.name == name);
        // What no list can be narrowed by cannot be drilled into.
        let field = own.filter(|field| {
            !hidden && field.class != DataClass::Personal && field.filter != Match::Never
        });
        let wrong = |detail: &str| Problem::invalid("by", format!("{text}：{detail}"));
        let field = field.ok_or_else(|| wrong("不是可检索的字段"))?;
        let grain = match (field.kind, grain) {
            (Kind::Code(_) | Kind::Bool | Kind::Id(_), None) => Grain::Value,
            (Kind::CodeList(_), None) => Grain::Each,
            (Kind::Text, None) if field.name.ends_with("_code") => Grain::Codes,
            (Kind::Region, Some("province")) => Grain::Digits(2),
            (Kind::Region, None | Some("city")) => Grain::Digits(4),
            (Kind::Region, Some("county")) => Grain::Digits(6),
            (Kind::Region, _) => return Err(wrong("区域应按 province、city 或 county")),
            (Kind::Date | Kind::Time, grain) => {
                let period = Period::parse(grain.unwrap_or("month"));
                let wrong = || wrong("时间应按 day、week、month、quarter 或 year");
                Grain::Period(period.ok_or_else(wrong)?)
            }
            _ => return Err(wrong("应为代码、区域、时间或所属记录")),
        };
        Ok(Self { field, grain })
    }

    /// The expression that the database groups by; `at` tells code lists apart.
    fn expression(self, at: usize) -> String {
        let name = self.field.name;
        match (self.grain, self.field.kind) {
            (Grain::Value, _) if self.field.elsewhere.is_some() => format!("w{at}.placed"),
            (Grain::Value | Grain::Codes, _) => String::from(name),
            (Grain::Each | Grain::Stage, _) => format!("c{at}.code"),
            (Grain::Digits(digits), _) => format!("SUBSTR({name}, 1, {digits})"),
            // Days of Beijing since 1970.
            (Grain::Period(_), Kind::Time) => format!("({name} + 28800000) / 86400000"),
            (Grain::Period(_), _) => String::from(name),
        }
    }

    /// What a group is called, in order, and the conditions that list it.
    fn group(self, value: Cell<'_>) -> Result<Group> {
        let name = self.field.name;
        let missing = || Group { key: Value::Null, query: format!("{name}.none=true") };
        Ok(match (self.grain, value) {
            (_, Cell::Null) => missing(),
            (Grain::Value, value) => {
                let key = self.field.decode(value)?;
                let text = key.as_str().map_or_else(|| key.to_string(), String::from);
                Group { query: format!("{name}={text}"), key }
            }
            (Grain::Each | Grain::Stage, Cell::Text(code)) => {
                Group { key: code.into(), query: format!("{name}={code}") }
            }
            (Grain::Codes, Cell::Text(code)) => {
                // A code that others begin with means itself alone.
                let is = if self.field.filter == Match::Prefix { ".is" } else { "" };
                Group { key: code.into(), query: format!("{name}{is}={code}") }
            }
            (Grain::Digits(digits), Cell::Text(stem)) => {
                let code = format!("{stem:0<6}");
                // Records of a province or city itself, beside those of its parts.
                let own = digits > 2 && stem.len() == digits && stem.ends_with("00");
                let query =
                    if own { format!("{name}.is={code}") } else { format!("{name}={code}") };
                Group { key: code.into(), query }
            }
            (Grain::Period(period), value) => {
                let Some((text, first, last)) = day(value)?.and_then(|day| period.of(day)) else {
                    return Ok(missing());
                };
                let bounds = match self.field.kind {
                    Kind::Time => [
                        format!("{first}T00:00:00%2B08:00"),
                        format!("{last}T23:59:59.999%2B08:00"),
                    ],
                    _ => [first.to_string(), last.to_string()],
                };
                let query = format!("{name}.from={}&{name}.to={}", bounds[0], bounds[1]);
                Group { key: text.into(), query }
            }
            _ => return Err(Problem::internal("a group of an unexpected type")),
        })
    }

    fn json(self) -> Value {
        let codes = match self.field.kind {
            Kind::CodeList(codes) if self.field.filter == Match::Branch => trunk(codes),
            Kind::Code(codes) | Kind::CodeList(codes) => codes.to_vec(),
            Kind::Bool => vec![("true", "是"), ("false", "否")],
            _ => Vec::new(),
        };
        let grain = match self.grain {
            Grain::Digits(2) => "province",
            Grain::Digits(4) => "city",
            Grain::Digits(_) => "county",
            Grain::Period(Period::Day) => "day",
            Grain::Period(Period::Week) => "week",
            Grain::Period(Period::Month) => "month",
            Grain::Period(Period::Quarter) => "quarter",
            Grain::Period(Period::Year) => "year",
            Grain::Value | Grain::Each | Grain::Stage | Grain::Codes => "",
        };
        json!({
            "name": self.field.name, "label": self.field.label, "grain": grain, "codes": codes,
            "overlapping": self.overlaps(),
        })
    }

    /// Whether a record may be in several of its groups.
    fn overlaps(self) -> bool {
        matches!(self.grain, Grain::Each | Grain::Stage) || self.field.elsewhere.is_some()
    }

    /// Of groups that overlap, each code with the column that holds it and the text it leaves there.
    fn words(self, entity: &Entity) -> Vec<(&'static str, &'static str, String)> {
        match (self.grain, self.field.kind, stage_words(entity)) {
            (Grain::Each, Kind::CodeList(codes), _) if self.field.filter == Match::Branch => {
                let word = |code| (code, self.field.name, format!("\"{code}"));
                trunk(codes).into_iter().map(|(code, _)| word(code)).collect()
            }
            (Grain::Each, Kind::CodeList(codes), _) => {
                let word = |code: &'static str| (code, self.field.name, format!("\"{code}\""));
                codes.iter().map(|(code, _)| word(code)).collect()
            }
            (Grain::Stage, _, Some((column, word))) => {
                STAGES.iter().map(|(code, _)| (*code, column, word(code))).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// How a register's own words tell the stage of a record: their column, and what a stage leaves
/// there.
pub(crate) fn stage_words(entity: &Entity) -> Option<(&'static str, fn(&str) -> String)> {
    match entity.scoping {
        Scoping::By(columns) => match columns.stage {
            Reach::Listed { column, word } => Some((column, word)),
            _ => None,
        },
        Scoping::Shared => None,
    }
}

/// The day a stored value means; whole days since 1970 for moments.
fn day(value: Cell<'_>) -> Result<Option<Date>> {
    Ok(match value {
        Cell::Text(text) => text.parse().ok(),
        Cell::Int(days) => {
            let moment = jiff::Timestamp::from_second(days * 86_400);
            let moment = moment.map_err(Problem::internal)?;
            Some(jiff::tz::TimeZone::UTC.to_datetime(moment).date())
        }
        _ => None,
    })
}

/// One group along one dimension.
#[derive(Debug, Clone)]
struct Group {
    key: Value,
    query: String,
}

/// Groups with how many they hold, in order of their keys.
type Counts = BTreeMap<Vec<String>, (Vec<Group>, i64)>;

async fn count(
    ctx: &Ctx,
    tx: &mut Tx,
    (entity, dimensions): (&'static Entity, &[Dimension]),
    listing: &Listing,
) -> Result<Counts> {
    let mut sql = Sql::default();
    let words = dimensions.iter().map(|one| one.words(entity)).enumerate();
    let listed: Vec<_> = words.filter(|(_, words)| !words.is_empty()).collect();
    for (index, (at, words)) in listed.iter().enumerate() {
        sql.push(if index == 0 { "WITH c" } else { ", c" }).push(&at.to_string());
        sql.push("(code, word) AS (VALUES ");
        for (index, (code, _, word)) in words.iter().enumerate() {
            sql.push(if index == 0 { "(" } else { ", (" });
            // PostgreSQL cannot tell the type of a lone placeholder.
            sql.push("CAST(").bind(*code).push(" AS TEXT), CAST(");
            sql.bind(word.as_str()).push(" AS TEXT))");
        }
        sql.push(") ");
    }
    sql.push("SELECT COUNT(*)");
    for (at, dimension) in dimensions.iter().enumerate() {
        sql.push(", ").push(&dimension.expression(at)).push(&format!(" AS key{at}"));
    }
    sql.push(" FROM ").push(entity.table);
    for (at, words) in &listed {
        let Some((_, column, _)) = words.first() else { continue };
        // SQLite would otherwise look through the table once for every code.
        let function = tx.dialect().position_of();
        let join = if tx.dialect() == Dialect::Sqlite { " CROSS JOIN c" } else { " JOIN c" };
        sql.push(join).push(&at.to_string()).push(" ON ").push(function).push("(");
        sql.push(column).push(&format!(", c{at}.word) > 0"));
    }
    // A record is counted once at every place where it is today.
    for (at, dimension) in dimensions.iter().enumerate() {
        let (name, Some(elsewhere)) = (dimension.field.name, dimension.field.elsewhere) else {
            continue;
        };
        sql.push(" JOIN (SELECT id AS placed_record, ").push(name).push(" AS placed FROM ");
        sql.push(entity.table).push(" UNION SELECT ").push(elsewhere.record).push(", ");
        sql.push(name).push(" FROM ").push(elsewhere.table).push(" WHERE ");
        elsewhere.on(&mut sql, ctx.today());
        sql.push(&format!(") AS w{at} ON w{at}.placed_record = id"));
    }
    sql.push(" WHERE 1 = 1");
    ctx.scope().narrow(&mut sql, tx, entity.scoping);
    listing.narrow(&mut sql, tx, entity).await?;
    let keys: Vec<_> = (0..dimensions.len()).map(|at| format!("key{at}")).collect();
    if !keys.is_empty() {
        sql.push(" GROUP BY ").push(&keys.join(", ")).push(" LIMIT ");
        sql.bind(i64::try_from(GROUPS_MAX + 1).unwrap_or(i64::MAX));
    }
    let rows = tx.fetch(sql).await?;
    if rows.len() > GROUPS_MAX {
        return Err(Problem::TooLarge(String::from("分组过多，请增加查询条件或改用较粗的维度")));
    }
    let mut counts = Counts::new();
    for row in rows {
        let groups = dimensions.iter().enumerate();
        let groups = groups.map(|(at, dimension)| dimension.group(row.cell(at + 1)?));
        let groups = groups.collect::<Result<Vec<_>>>()?;
        // Days become weeks and quarters here; what has no value comes last.
        let order = |group: &Group| match &group.key {
            Value::Null => String::from("\u{10FFFF}"),
            key => key.as_str().map_or_else(|| key.to_string(), String::from),
        };
        let key = groups.iter().map(order).collect();
        counts.entry(key).or_insert((groups, 0)).1 += row.int(0)?;
    }
    Ok(counts)
}

/// Of every dimension with open codes, those that are groups of their own: the most frequent.
type Kept = Vec<Option<Vec<String>>>;

fn kept(dimensions: &[Dimension], counts: &Counts) -> Kept {
    let frequent = |at: usize| {
        let mut sums = BTreeMap::<&str, i64>::new();
        for (groups, count) in counts.values() {
            if let Some(code) = groups.get(at).and_then(|group| group.key.as_str()) {
                *sums.entry(code).or_default() += count;
            }
        }
        let mut order: Vec<_> = sums.into_iter().collect();
        order.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        // Nobody gains by hiding a single one.
        let most = if order.len() == CODES_MAX + 1 { CODES_MAX + 1 } else { CODES_MAX };
        order.into_iter().take(most).map(|(code, _)| String::from(code)).collect()
    };
    let one = |(at, dimension): (usize, &Dimension)| {
        (dimension.grain == Grain::Codes).then(|| frequent(at))
    };
    dimensions.iter().enumerate().map(one).collect()
}

/// Everything that is no group of its own, together; its list is that of all others.
fn folded(dimensions: &[Dimension], kept: &Kept, counts: Counts) -> Counts {
    let mut answer = Counts::new();
    for (mut key, (mut groups, count)) in counts {
        for (at, (dimension, codes)) in dimensions.iter().zip(kept).enumerate() {
            let (Some(codes), Some(group)) = (codes, groups.get_mut(at)) else { continue };
            let own = group.key.as_str().is_none_or(|code| codes.iter().any(|one| one == code));
            if own {
                continue;
            }
            let query = format!("{}.not={}", dimension.field.name, codes.join(","));
            *group = Group { key: REST.into(), query };
            // After every code, before those without one.
            if let Some(order) = key.get_mut(at) {
                *order = String::from("\u{10FFFE}");
            }
        }
        answer.entry(key).or_insert((groups, 0)).1 += count;
    }
    answer
}

/// Shares in thousandths that add up to a thousand, as near to the true ones as whole numbers
/// are: the largest remainders are rounded up.
fn shares(counts: &[i64], total: i64) -> Vec<i64> {
    if total == 0 {
        return vec![0; counts.len()];
    }
    let mut shares: Vec<_> = counts.iter().map(|count| count * 1000 / total).collect();
    let left = 1000 - shares.iter().sum::<i64>();
    let mut order: Vec<_> = (0..counts.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse((counts[*at] * 1000) % total));
    for at in order.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        shares[at] += 1;
    }
    shares
}

fn percent(thousandths: i64) -> String {
    format!("{}.{}", thousandths / 10, thousandths % 10)
}

fn dimensions(ctx: &Ctx, entity: &'static Entity, by: Option<&str>) -> Result<Vec<Dimension>> {
    let names = by.unwrap_or_default().split(',').filter(|name| !name.is_empty());
    let found =
        names.map(|name| Dimension::parse(ctx, entity, name)).collect::<Result<Vec<_>>>()?;
    if found.len() > DIMENSIONS_MAX {
        return Err(Problem::invalid("by", format!("至多 {DIMENSIONS_MAX} 个维度")));
    }
    Ok(found)
}

/// Refuses an indicator that could not be answered: dimensions, part and how it is drawn.
pub(crate) async fn require_sound(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &'static Entity,
    figure: &str,
) -> Result<()> {
    let ([by, part, chart], rest) = apart(figure, ["by", "part", "chart"]);
    if !rest.is_empty() || chart.is_some_and(|chart| !CHARTS.contains(&chart.as_str())) {
        let detail = format!("可用参数：by、part、chart（{}）", CHARTS.join("、"));
        return Err(Problem::invalid("figure", detail));
    }
    dimensions(ctx, entity, by.as_deref())?;
    match part {
        Some(part) => {
            require_conditions(&part)?;
            Listing::counted(ctx, tx, entity, &part).await.map(drop)
        }
        None => Ok(()),
    }
}

/// A numerator without a condition would be everything: a slip, and no ratio.
fn require_conditions(part: &str) -> Result<()> {
    let wrong = || Problem::invalid("part", "应为查询条件，如 kind=01，多个以 & 连接");
    let mut conditions = 0;
    for (name, text) in form_urlencoded::parse(part.as_bytes()) {
        let paging = matches!(&*name, "page" | "per_page" | "after" | "sort" | "count");
        if text.is_empty() || paging {
            return Err(wrong());
        }
        conditions += 1;
    }
    if conditions > 0 { Ok(()) } else { Err(wrong()) }
}

async fn answer(ctx: &Ctx, tx: &mut Tx, entity: &'static Entity, query: &str) -> Result<Value> {
    let ([by, part], rest) = apart(query, ["by", "part"]);
    let entity = code_list::present(ctx.app(), tx, entity).await?;
    let dimensions = dimensions(ctx, entity, by.as_deref())?;
    let whole = Listing::counted(ctx, tx, entity, &rest).await?;
    let counts = count(ctx, tx, (entity, &dimensions), &whole).await?;
    let kept = kept(&dimensions, &counts);
    let counts = folded(&dimensions, &kept, counts);
    let numbers: Vec<_> = counts.values().map(|(_, count)| *count).collect();
    let overlapping = dimensions.iter().any(|one| one.overlaps());
    // Groups that overlap, and those a record without a code is in none of, say nothing of all.
    let total: i64 = if overlapping {
        let all = count(ctx, tx, (entity, &[]), &whole).await?;
        all.values().map(|(_, count)| count).sum()
    } else {
        numbers.iter().sum()
    };
    let parts = match &part {
        None => None,
        Some(part) => {
            require_conditions(part)?;
            let both = Listing::counted(ctx, tx, entity, &format!("{rest}&{part}")).await?;
            let both = count(ctx, tx, (entity, &dimensions), &both).await?;
            Some(folded(&dimensions, &kept, both))
        }
    };
    let names = called(ctx, tx, (entity, &dimensions), &counts).await?;
    // Of overlapping groups each has its own share of all records.
    let shares = if overlapping {
        numbers.iter().map(|count| (count * 2000 + total) / (total * 2).max(1)).collect()
    } else {
        shares(&numbers, total)
    };
    let groups = counts.iter().zip(shares).map(|((key, (groups, count)), share)| {
        let queries = groups.iter().map(|group| group.query.as_str());
        let mut group = json!({
            "key": groups.iter().map(|group| group.key.clone()).collect::<Vec<_>>(),
            "count": count, "share": percent(share),
            "query": queries.chain((!rest.is_empty()).then_some(rest.as_str())).collect::<Vec<_>>().join("&"),
        });
        if let Some(parts) = &parts {
            let part = parts.get(key).map_or(0, |(_, count)| *count);
            group["part"] = part.into();
            group["ratio"] = percent((part * 2000 + count) / (count * 2).max(1)).into();
        }
        group
    });
    let groups: Vec<_> = groups.collect();
    Ok(json!({
        "dimensions": dimensions.iter().map(|one| one.json()).collect::<Vec<_>>(),
        "groups": groups, "count": total, "overlapping": overlapping, "names": names,
        "part": parts.map(|parts| parts.values().map(|(_, count)| *count).sum::<i64>()),
        "at": time_text(ctx.now_ms())?,
    }))
}

/// What regions and other records are called.
async fn called(
    ctx: &Ctx,
    tx: &mut Tx,
    (entity, dimensions): (&'static Entity, &[Dimension]),
    counts: &Counts,
) -> Result<Object> {
    let mut names = Object::new();
    let mut records = Vec::new();
    for (at, dimension) in dimensions.iter().enumerate() {
        let codes = counts.values().filter_map(|(groups, _)| groups.get(at)?.key.as_str());
        names.extend(coded(ctx, tx, dimension.field, codes.collect()).await?);
    }
    for (groups, _) in counts.values() {
        for (dimension, group) in dimensions.iter().zip(groups) {
            let Some(key) = group.key.as_str() else { continue };
            match dimension.field.kind {
                Kind::Region => {
                    let name = regions().get(key).map_or(key, |region| region.name);
                    names.insert(String::from(key), name.into());
                }
                Kind::Id(_) => {
                    records.push(Object::from_iter([(
                        String::from(dimension.field.name),
                        Value::from(key),
                    )]));
                }
                _ => {}
            }
        }
    }
    names.extend(called::called(ctx, tx, entity, (&records, "name")).await?);
    Ok(names)
}

/// What the codes of another register are called: `node_code` means the codes of `node`.
async fn coded(ctx: &Ctx, tx: &mut Tx, field: &Field, codes: BTreeSet<&str>) -> Result<Object> {
    let mut names = Object::new();
    let stem = field.name.strip_suffix("_code").filter(|_| field.kind == Kind::Text);
    let known = ctx.app().entities().iter().find(|one| Some(one.table) == stem);
    let named = |one: &&&Entity| ["code", "name"].iter().all(|name| one.field(name).is_some());
    let (Some(target), false) = (known.filter(named), codes.is_empty()) else { return Ok(names) };
    let Ok(ctx) = ctx.under(&target.permission("read")) else { return Ok(names) };
    let mut sql = Sql::new("SELECT code, name FROM ");
    sql.push(target.table).push(" WHERE code ").bind_texts(codes);
    ctx.scope().narrow(&mut sql, tx, target.scoping);
    for row in tx.fetch(sql).await? {
        names.insert(String::from(row.text(0)?), row.text(1)?.into());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numerator_has_conditions() {
        for part in ["kind=01", "kind=01&region=610000", "node_code.none=true"] {
            assert!(require_conditions(part).is_ok(), "{part}");
        }
        for part in ["", "foo", "kind=", "per_page=10", "kind=01&foo"] {
            assert!(require_conditions(part).is_err(), "{part}");
        }
    }

    #[test]
    fn shares_add_up_to_a_hundred_per_cent() {
        for counts in [vec![1, 1, 1], vec![2, 3, 7, 1], vec![1; 7], vec![59, 1]] {
            let total = counts.iter().sum();
            assert_eq!(shares(&counts, total).iter().sum::<i64>(), 1000, "{counts:?}");
        }
        assert_eq!(
            shares(&[1, 1, 1], 3).iter().map(|one| percent(*one)).collect::<Vec<_>>(),
            ["33.4", "33.3", "33.3"]
        );
        assert_eq!(shares(&[0], 0), [0]);
    }

    #[test]
    fn the_last_days_of_2026_belong_to_its_week_53() {
        let week = |day: &str| Period::Week.of(day.parse().unwrap()).unwrap();
        let (name, first, last) = week("2027-01-01");
        assert_eq!(
            (name.as_str(), first.to_string().as_str(), last.to_string().as_str()),
            ("2026-W53", "2026-12-28", "2027-01-03")
        );
        assert_eq!(week("2026-12-31").0, "2026-W53");
        let quarter = Period::Quarter.of("2026-11-26".parse().unwrap()).unwrap();
        assert_eq!(quarter.0, "2026-Q4");
        assert_eq!(quarter.2.to_string(), "2026-12-31");
    }
}
