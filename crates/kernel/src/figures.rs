//! 登记信息分析 (G-6.2.4): how many records of a list there are, by one or two of their fields;
//! number, share and, by time, trend. Every figure comes with the conditions of the list it counts.

use std::collections::BTreeMap;

use axum::{Json, extract::RawQuery, http::Method};
use jiff::civil::Date;
use serde_json::{Value, json};
use yj_model::regions;

use crate::{
    Access, Ctx, DataClass, Dialect, Entity, Field, Kind, Match, Param, Problem, Result, Route,
    Sql, SqlValue, Tx, code_list,
    field::time_text,
    json::Object,
    listing::{self, CREATED, Listing, apart},
    record,
};

/// Dimensions of one question.
const DIMENSIONS_MAX: usize = 2;
/// Groups that the database may find; more are no figure any more.
const GROUPS_MAX: usize = 20_000;

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
            label: "统计维度，至多两个，以逗号分隔，如 kind,region:city 或 filed_on:month",
            required: false,
        },
        Param {
            name: "part", label: "分子的查询条件；给出时另答其数量与占比", required: false
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
    /// By so many first digits of the 行政区划代码.
    Digits(usize),
    /// By period.
    Period(Period),
}

/// 统计周期
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Period {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            "year" => Self::Year,
            _ => return None,
        })
    }

    /// What the period of a day is called, with its first and last day. Weeks are those of
    /// GB/T 7408: from Monday, the first one being that of the year's first Thursday.
    fn of(self, day: Date) -> Option<(String, Date, Date)> {
        let (first, name) = match self {
            Self::Day => (day, day.to_string()),
            Self::Week => {
                let week = day.iso_week_date();
                let monday = week.first_of_week().ok()?.date();
                (monday, format!("{}-W{:02}", week.year(), week.week()))
            }
            Self::Month => (day.first_of_month(), day.strftime("%Y-%m").to_string()),
            Self::Quarter => {
                let quarter = (day.month() - 1) / 3;
                let first = Date::new(day.year(), quarter * 3 + 1, 1).ok()?;
                (first, format!("{}-Q{}", day.year(), quarter + 1))
            }
            Self::Year => (day.first_of_year(), day.year().to_string()),
        };
        let next = match self {
            Self::Day => first.tomorrow().ok()?,
            Self::Week => first.checked_add(jiff::Span::new().days(7)).ok()?,
            Self::Month => first.checked_add(jiff::Span::new().months(1)).ok()?,
            Self::Quarter => first.checked_add(jiff::Span::new().months(3)).ok()?,
            Self::Year => first.checked_add(jiff::Span::new().years(1)).ok()?,
        };
        Some((name, first, next.yesterday().ok()?))
    }
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
            (Grain::Value, _) => String::from(name),
            (Grain::Each, _) => format!("c{at}.code"),
            (Grain::Digits(digits), _) => format!("SUBSTR({name}, 1, {digits})"),
            // Days of Beijing since 1970.
            (Grain::Period(_), Kind::Time) => format!("({name} + 28800000) / 86400000"),
            (Grain::Period(_), _) => String::from(name),
        }
    }

    /// What a group is called, in order, and the conditions that list it.
    fn group(self, value: &SqlValue) -> Result<Group> {
        let name = self.field.name;
        let missing = || Group { key: Value::Null, query: format!("{name}.none=true") };
        Ok(match (self.grain, value) {
            (_, SqlValue::Null) => missing(),
            (Grain::Value, value) => {
                let key = self.field.decode(value)?;
                let text = key.as_str().map_or_else(|| key.to_string(), String::from);
                Group { query: format!("{name}={text}"), key }
            }
            (Grain::Each, SqlValue::Text(code)) => {
                Group { key: code.as_str().into(), query: format!("{name}={code}") }
            }
            (Grain::Digits(digits), SqlValue::Text(stem)) => {
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
            Kind::Code(codes) | Kind::CodeList(codes) => codes,
            Kind::Bool => &[("true", "是"), ("false", "否")],
            _ => &[],
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
            Grain::Value | Grain::Each => "",
        };
        json!({
            "name": self.field.name, "label": self.field.label, "grain": grain, "codes": codes,
            "overlapping": self.grain == Grain::Each,
        })
    }
}

/// The day a stored value means; whole days since 1970 for moments.
fn day(value: &SqlValue) -> Result<Option<Date>> {
    Ok(match value {
        SqlValue::Text(text) => text.parse().ok(),
        SqlValue::Int(days) => {
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
    let listed = || dimensions.iter().enumerate().filter(|(_, one)| one.grain == Grain::Each);
    for (index, (at, dimension)) in listed().enumerate() {
        let Kind::CodeList(codes) = dimension.field.kind else { continue };
        sql.push(if index == 0 { "WITH c" } else { ", c" }).push(&at.to_string());
        sql.push("(code) AS (VALUES ");
        for (index, (code, _)) in codes.iter().enumerate() {
            sql.push(if index == 0 { "(" } else { ", (" });
            // PostgreSQL cannot tell the type of a lone placeholder.
            sql.push("CAST(").bind(*code).push(" AS TEXT))");
        }
        sql.push(") ");
    }
    sql.push("SELECT COUNT(*)");
    for (at, dimension) in dimensions.iter().enumerate() {
        sql.push(", ").push(&dimension.expression(at)).push(&format!(" AS key{at}"));
    }
    sql.push(" FROM ").push(entity.table);
    for (at, dimension) in listed() {
        // SQLite would otherwise look through the table once for every code.
        let function = tx.dialect().position_of();
        let join = if tx.dialect() == Dialect::Sqlite { " CROSS JOIN c" } else { " JOIN c" };
        sql.push(join).push(&at.to_string()).push(" ON ").push(function).push("(");
        sql.push(dimension.field.name).push(&format!(", '\"' || c{at}.code || '\"') > 0"));
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
        let groups = groups.map(|(at, dimension)| dimension.group(row.value(at + 1)?));
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
        Some(part) => Listing::counted(ctx, tx, entity, &part).await.map(drop),
        None => Ok(()),
    }
}

async fn answer(ctx: &Ctx, tx: &mut Tx, entity: &'static Entity, query: &str) -> Result<Value> {
    let ([by, part], rest) = apart(query, ["by", "part"]);
    let entity = code_list::present(ctx.app(), tx, entity).await?;
    let dimensions = dimensions(ctx, entity, by.as_deref())?;
    let whole = Listing::counted(ctx, tx, entity, &rest).await?;
    let counts = count(ctx, tx, (entity, &dimensions), &whole).await?;
    let numbers: Vec<_> = counts.values().map(|(_, count)| *count).collect();
    let overlapping = dimensions.iter().any(|one| one.grain == Grain::Each);
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
            let both = Listing::counted(ctx, tx, entity, &format!("{rest}&{part}")).await?;
            Some(count(ctx, tx, (entity, &dimensions), &both).await?)
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
    names.extend(listing::called(ctx, tx, entity, (&records, "name")).await?);
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

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
