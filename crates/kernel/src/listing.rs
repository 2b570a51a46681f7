//! Lists: filters, order, page numbers for people and cursors for programs, for any [`Entity`]
//! (G-6.2.3: 检索和分页展示).

use jiff::civil::Date;
use serde_json::{Value, json};
use yj_model::Stage;

use crate::{
    App, Ctx, DataClass, Entity, Field, Kind, Match, Problem, Result, Scope, Sql, SqlValue, Tx,
    area::{self, Area},
    called, code_list,
    cursor::{Cursor, is_numeric},
    figures,
    json::Object,
    record, search,
};

const PER_PAGE_DEFAULT: i64 = 20;
const PER_PAGE_MAX: i64 = 100;
/// Deep offsets make the database read and throw away everything before them. Programs that want
/// everything follow `next` instead.
const OFFSET_MAX: i64 = 10_000;
/// Counting stops here; people read "10 000+".
pub const COUNT_MAX: i64 = 10_000;
/// The same for parts of names: every match is read to be counted, and whoever finds a thousand goes
/// on to say more of the name.
const COUNT_NAMED_MAX: i64 = 1_000;
/// Conditions of one request.
pub(crate) const CONDITIONS_MAX: usize = 24;

/// Codes that one condition leaves out.
const OUTSIDE_MAX: usize = 50;
/// 追溯环节 as a condition of registers that know it by other words.
const STAGE: &str = "stage";

/// 登记时间: every list can be narrowed by it.
pub(crate) static CREATED: Field =
    Field::new("created_at", "登记时间", Kind::Time).filter(Match::Range);

/// A list request, fully checked: nothing in it can fail later.
#[derive(Debug)]
pub(crate) struct Listing {
    today: Date,
    conditions: Vec<(&'static Field, Comparison, SqlValue)>,
    areas: Vec<Area>,
    sort: Sort,
    per_page: i64,
    offset: i64,
    after: Option<Cursor>,
    count: Counting,
}

/// Whether a list says how many there are. Reading a page is quick, counting what matches common
/// conditions is not: people see the page first and the number when it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// The page alone.
    No,
    /// The page and the number.
    Too,
    /// The number alone.
    Only,
}

/// The order of a list: one column and a direction, then the identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sort {
    column: &'static str,
    descending: bool,
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Equal,
    StartsWith,
    Contains,
    AtLeast,
    AtMost,
    /// One of several codes, separated by commas.
    OneOf,
    /// Equal to a sealed value, by its blind index.
    Blind,
    /// A part of a name, by its index.
    Name,
    /// Without a value.
    Missing,
    /// None of several codes, which the value names with commas between them.
    Outside,
}

impl Listing {
    pub(crate) async fn parse(
        app: &App,
        tx: &mut Tx,
        entity: &'static Entity,
        query: &str,
    ) -> Result<Self> {
        let entity = code_list::present(app, tx, entity).await?;
        let newest_first = Sort { column: "id", descending: true };
        let mut listing = Self {
            today: app.today(),
            conditions: Vec::new(),
            areas: Vec::new(),
            sort: newest_first,
            per_page: PER_PAGE_DEFAULT,
            offset: 0,
            after: None,
            count: Counting::No,
        };
        let (mut page, mut after) = (1, None);
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "page" => page = number(&name, &text, i64::MAX)?,
                "per_page" => listing.per_page = number(&name, &text, PER_PAGE_MAX)?,
                "after" => after = Some(text.into_owned()),
                "sort" => listing.sort = sort(entity, &text)?,
                "count" => listing.count = Counting::parse(&text)?,
                _ if text.is_empty() => {}
                "within" if area::placed(entity) => listing.areas.push(Area::polygon(&text)?),
                "near" if area::placed(entity) => listing.areas.push(Area::circle(&text)?),
                _ => listing.conditions.push(condition(app, entity, &name, &text)?),
            }
        }
        if listing.conditions.len() + listing.areas.len() > CONDITIONS_MAX {
            return Err(too_many_conditions());
        }
        listing.offset = (page - 1).saturating_mul(listing.per_page);
        if listing.offset > OFFSET_MAX {
            return Err(Problem::invalid(
                "page",
                "页码过大，请增加查询条件，或使用 after 参数连续读取",
            ));
        }
        if let Some(text) = after {
            if listing.offset > 0 {
                return Err(Problem::invalid("after", "不能与 page 同时使用"));
            }
            listing.after = Some(Cursor::decode(&text, entity.field(listing.sort.column))?);
        }
        Ok(listing)
    }

    /// Every record that matches, for exports: no page.
    pub(crate) async fn whole(
        app: &App,
        tx: &mut Tx,
        entity: &'static Entity,
        query: &str,
    ) -> Result<Self> {
        Ok(Self::parse(app, tx, entity, query).await?.unpaged())
    }

    pub(crate) fn unpaged(self) -> Self {
        Self { per_page: 1000, offset: 0, after: None, count: Counting::No, ..self }
    }

    /// Conditions of figures and maps, as far as the reader is cleared. They say how many there
    /// are: asked with a telephone number, whether there is one at all. So nothing personal.
    pub(crate) async fn counted(
        ctx: &Ctx,
        tx: &mut Tx,
        entity: &'static Entity,
        query: &str,
    ) -> Result<Self> {
        let listing = Self::parse(ctx.app(), tx, entity, query).await?;
        require_clearance(ctx, entity, &listing)?;
        let mut asked = listing.conditions.iter().map(|(field, ..)| field);
        match asked.find(|field| field.class == DataClass::Personal) {
            Some(field) => {
                Err(Problem::invalid(field.name, "个人信息不能作为统计、地图或保存的条件"))
            }
            None => Ok(listing),
        }
    }

    /// The next chunk of [`Listing::whole`], after the last record of the one before.
    pub(crate) fn continued(&mut self, entity: &Entity, last: &Object) -> Result<()> {
        self.after = Some(self.cursor(entity, last)?);
        Ok(())
    }

    fn cursor(&self, entity: &Entity, last: &Object) -> Result<Cursor> {
        let value = match entity.field(self.sort.column) {
            Some(field) => field.encode(last.get(field.name).unwrap_or(&Value::Null))?,
            None => SqlValue::Null,
        };
        let id = last.get("id").and_then(Value::as_str).unwrap_or_default();
        Ok(Cursor { value, id: String::from(id) })
    }

    /// Appends the conditions to a statement that already has a WHERE.
    pub(crate) async fn narrow(&self, sql: &mut Sql, tx: &mut Tx, entity: &Entity) -> Result<()> {
        tx.plan_by_values();
        for area in &self.areas {
            area.narrow(sql);
        }
        for (field, comparison, value) in &self.conditions {
            sql.push(" AND ");
            match comparison {
                Comparison::Name => {
                    let SqlValue::Text(part) = value else { continue };
                    search::narrow(sql, tx, entity, (field, part)).await?;
                    continue;
                }
                Comparison::Blind => {
                    sql.push(&record::blind_column(field)).push(" = ").bind(value.clone())
                }
                Comparison::Missing => sql.push(field.name).push(" IS NULL"),
                Comparison::Outside => {
                    let SqlValue::Text(codes) = value else { continue };
                    sql.push(field.name).push(" NOT IN (");
                    for (at, code) in codes.split(',').enumerate() {
                        sql.push(if at == 0 { "" } else { ", " }).bind(code);
                    }
                    sql.push(")")
                }
                Comparison::Equal if let Some(elsewhere) = field.elsewhere => {
                    elsewhere.narrow(sql, (entity.table, field.name), (value, self.today))
                }
                Comparison::Equal => sql.push(field.name).push(" = ").bind(value.clone()),
                Comparison::OneOf => {
                    let SqlValue::Text(codes) = value else { continue };
                    sql.push(field.name).push(" ").bind_texts(codes.split(','))
                }
                Comparison::AtLeast => sql.push(field.name).push(" >= ").bind(value.clone()),
                Comparison::AtMost => sql.push(field.name).push(" <= ").bind(value.clone()),
                Comparison::StartsWith => {
                    // A byte-ordered range, so that an index serves it on both engines.
                    sql.push("(").push(field.name).push(" >= ").bind(value.clone());
                    sql.push(" AND ").push(field.name).push(" < ").bind(value.clone());
                    sql.push(" || '\u{10FFFF}')")
                }
                Comparison::Contains => {
                    let function = tx.dialect().position_of();
                    sql.push(function).push("(").push(field.name).push(", ").bind(value.clone());
                    sql.push(") > 0")
                }
            };
        }
        Ok(())
    }

    /// What is compared in the order. NULLs sort as the empty text or the least number, so that
    /// both engines agree.
    fn key(&self, entity: &Entity) -> (String, &'static str) {
        let column = self.sort.column;
        let numeric = entity.field(column).is_some_and(|field| is_numeric(field.kind));
        let least = if numeric { "-9223372036854775807" } else { "''" };
        let key = if column == "id" {
            String::from("id")
        } else {
            format!("COALESCE({column}, {least})")
        };
        (key, least)
    }

    /// Appends "after the cursor".
    fn after(&self, sql: &mut Sql, entity: &Entity) {
        let Some(Cursor { value, id }) = &self.after else { return };
        let beyond = if self.sort.descending { " < " } else { " > " };
        if self.sort.column == "id" {
            sql.push(" AND id").push(beyond).bind(id.as_str());
            return;
        }
        let (key, least) = self.key(entity);
        let at = |sql: &mut Sql| {
            match value {
                SqlValue::Null => sql.push(least),
                value => sql.bind(value.clone()),
            };
        };
        sql.push(" AND (").push(&key).push(beyond);
        at(sql);
        sql.push(" OR (").push(&key).push(" = ");
        at(sql);
        sql.push(" AND id").push(beyond).bind(id.as_str()).push("))");
    }

    fn order(&self, sql: &mut Sql, entity: &Entity) {
        let direction = if self.sort.descending { " DESC" } else { "" };
        sql.push(" ORDER BY ");
        if self.sort.column != "id" {
            sql.push(&self.key(entity).0).push(direction).push(", ");
        }
        sql.push("id").push(direction);
    }

    /// One page of records, whole.
    pub(crate) async fn page(
        &self,
        ctx: &Ctx,
        tx: &mut Tx,
        entity: &Entity,
    ) -> Result<Vec<Object>> {
        // The page is found by narrow indexes; only its records are read whole.
        let mut sql = Sql::new("SELECT ");
        sql.push(&record::columns(entity)).push(" FROM ").push(entity.table);
        sql.push(" WHERE id IN (SELECT id FROM ").push(entity.table).push(" WHERE 1 = 1");
        ctx.scope.narrow(&mut sql, tx, entity.scoping);
        self.narrow(&mut sql, tx, entity).await?;
        self.after(&mut sql, entity);
        self.order(&mut sql, entity);
        sql.push(" LIMIT ").bind(self.per_page).push(" OFFSET ").bind(self.offset).push(")");
        self.order(&mut sql, entity);
        record::fetch(ctx.app(), tx, entity, sql).await
    }

    /// How many records match and lie within every one of these scopes; counting stops after
    /// `most`.
    pub(crate) async fn size(
        &self,
        scopes: &[&Scope],
        tx: &mut Tx,
        (entity, most): (&Entity, i64),
    ) -> Result<i64> {
        if let [(field, Comparison::Name, SqlValue::Text(part))] = self.conditions.as_slice()
            && self.areas.is_empty()
            && scopes.iter().all(|scope| scope.is_everything())
            && let Some(found) = search::size(tx, entity, (field, part), most + 1).await?
        {
            return Ok(found);
        }
        let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM ");
        sql.push(entity.table).push(" WHERE 1 = 1");
        for scope in scopes {
            scope.narrow(&mut sql, tx, entity.scoping);
        }
        self.narrow(&mut sql, tx, entity).await?;
        sql.push(" LIMIT ").bind(most + 1).push(") AS found");
        tx.fetch_one(sql).await?.map_or(Ok(0), |row| row.int(0))
    }

    async fn total(&self, ctx: &Ctx, tx: &mut Tx, entity: &Entity) -> Result<Value> {
        let named =
            |(_, comparison, _): &(_, Comparison, _)| matches!(comparison, Comparison::Name);
        let most = if self.conditions.iter().any(named) { COUNT_NAMED_MAX } else { COUNT_MAX };
        let count = self.size(&[&ctx.scope], tx, (entity, most)).await?;
        Ok(json!({ "count": count.min(most), "more": count > most }))
    }
}

/// How many records of a register, within the caller's reach, fulfil the conditions of a list.
pub async fn size(ctx: &Ctx, tx: &mut Tx, entity: &'static Entity, query: &str) -> Result<i64> {
    let listing = Listing::parse(ctx.app(), tx, entity, query).await?;
    // One less than the greatest number, for counting goes one further.
    listing.size(&[&ctx.scope], tx, (entity, i64::MAX - 1)).await
}

/// Takes the parameters out of a query that are not conditions; the last of each name counts.
pub(crate) fn apart<const N: usize>(
    query: &str,
    names: [&str; N],
) -> ([Option<String>; N], String) {
    let mut found = [const { None }; N];
    let mut rest = form_urlencoded::Serializer::new(String::new());
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        match names.iter().position(|known| *known == name) {
            Some(at) => found[at] = Some(text.into_owned()),
            None => {
                rest.append_pair(&name, &text);
            }
        }
    }
    (found, rest.finish())
}

pub(crate) fn too_many_conditions() -> Problem {
    Problem::invalid("query", format!("查询条件至多 {CONDITIONS_MAX} 个"))
}

impl Counting {
    /// The parameter `count` of a list.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "false" => Ok(Self::No),
            "true" => Ok(Self::Too),
            "only" => Ok(Self::Only),
            _ => Err(Problem::invalid("count", "应为 true、false 或 only")),
        }
    }
}

/// Codes of one condition.
const CODES_MAX: usize = 20;

/// A whole number of a parameter, from 1 to `max`.
pub fn number(name: &str, text: &str, max: i64) -> Result<i64> {
    match text.parse() {
        Ok(value) if (1..=max).contains(&value) => Ok(value),
        _ if max == i64::MAX => Err(Problem::invalid(name, "应为正整数")),
        _ => Err(Problem::invalid(name, format!("应为 1 至 {max} 的整数"))),
    }
}

fn sort(entity: &Entity, text: &str) -> Result<Sort> {
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let column = match name {
        "id" => Some("id"),
        "created_at" => Some("created_at"),
        "updated_at" => Some("updated_at"),
        _ => entity.field(name).filter(|field| field.sortable).map(|field| field.name),
    };
    match column {
        // Identifiers are made in the order of creation.
        Some("created_at") => Ok(Sort { column: "id", descending }),
        Some("updated_at") | None => {
            let sortable =
                entity.fields.iter().filter(|field| field.sortable).map(|field| field.name);
            let sortable = sortable.chain(["created_at"]).collect::<Vec<_>>().join("、");
            Err(Problem::invalid("sort", format!("不支持按 {name} 排序，可用：{sortable}")))
        }
        Some(column) => Ok(Sort { column, descending }),
    }
}

fn condition(
    app: &App,
    entity: &'static Entity,
    name: &str,
    text: &str,
) -> Result<(&'static Field, Comparison, SqlValue)> {
    let unknown = || Problem::invalid(name, "没有这个查询条件");
    let (stem, bound) = match name.rsplit_once('.') {
        Some((stem, bound)) => (stem, Some(bound)),
        None => (name, None),
    };
    if name == STAGE && entity.field(name).is_none() {
        return stage(entity, text);
    }
    let created = || (stem == CREATED.name).then_some(&CREATED);
    let field = entity.field(stem).or_else(created).ok_or_else(unknown)?;
    let comparison = match (field.filter, bound) {
        (Match::Never, _) => return Err(unknown()),
        (_, Some("none")) if field.optional && text == "true" => {
            return Ok((field, Comparison::Missing, SqlValue::Null));
        }
        // `?status.any=40,60`
        (Match::Exact, Some("any")) if matches!(field.kind, Kind::Code(_)) => Comparison::OneOf,
        // A province's own records, without those of its cities.
        (Match::Prefix, Some("is")) => Comparison::Equal,
        // The rest of a figure's groups.
        (Match::Prefix | Match::Exact, Some("not"))
            if field.kind == Kind::Text && field.class != DataClass::Personal =>
        {
            Comparison::Outside
        }
        (Match::Exact, None) => Comparison::Equal,
        (Match::Prefix, None) => Comparison::StartsWith,
        (Match::Contains | Match::Branch, None) => Comparison::Contains,
        (Match::Name, None) => Comparison::Name,
        (Match::Range, Some("from")) => Comparison::AtLeast,
        (Match::Range, Some("to")) => Comparison::AtMost,
        _ => return Err(unknown()),
    };
    let wrong = |detail| Problem::invalid(name, format!("{}：{detail}", field.label));
    if field.class == DataClass::Personal {
        let value = field.read_text(text).map_err(wrong)?;
        let plain = value.as_str().unwrap_or_default();
        let index = record::blind_value(app, entity, field, plain)?;
        return Ok((field, Comparison::Blind, SqlValue::Text(index)));
    }
    let value = match (field.kind, comparison) {
        // One code inside a stored list of codes.
        (Kind::CodeList(_), Comparison::Contains) => {
            let value = field.read_text(text).map_err(wrong)?;
            let code = value.get(0).and_then(Value::as_str).unwrap_or_default();
            // What lies below a code begins with it.
            let end = if field.filter == Match::Branch { "" } else { "\"" };
            SqlValue::Text(format!("\"{code}{end}"))
        }
        (Kind::Code(_), Comparison::OneOf) => {
            let codes = text.split(',').map(|code| field.read_text(code)).collect::<Vec<_>>();
            if codes.len() > CODES_MAX {
                return Err(wrong(format!("至多 {CODES_MAX} 个代码，以逗号分隔")));
            }
            let codes = codes.into_iter().collect::<Result<Vec<_>, _>>().map_err(wrong)?;
            let codes = codes.iter().map(|code| code.as_str().unwrap_or_default());
            SqlValue::Text(codes.collect::<Vec<_>>().join(","))
        }
        (Kind::Region, Comparison::StartsWith) => {
            let code: yj_model::RegionCode =
                text.parse().map_err(|error: yj_model::Rejected| wrong(error.to_string()))?;
            SqlValue::Text(code.stem().into())
        }
        (_, Comparison::Name) => {
            let part = search::wanted(text);
            if part.is_empty() {
                return Err(wrong(String::from("应含文字、数字或拼音字母")));
            }
            SqlValue::Text(part)
        }
        // Parts of a text need not be valid texts of the field.
        (_, Comparison::StartsWith | Comparison::Contains) => SqlValue::Text(text.trim().into()),
        (_, Comparison::Outside) if text.split(',').count() > OUTSIDE_MAX => {
            return Err(wrong(format!("至多 {OUTSIDE_MAX} 个，以逗号分隔")));
        }
        (_, Comparison::Outside) => SqlValue::Text(text.into()),
        _ => field.encode(&field.read_text(text).map_err(wrong)?)?,
    };
    Ok((field, comparison, value))
}

/// The records that a register's own words, such as roles, put at a stage.
fn stage(entity: &'static Entity, text: &str) -> Result<(&'static Field, Comparison, SqlValue)> {
    let words = figures::stage_words(entity);
    let words = words.and_then(|(column, word)| Some((entity.field(column)?, word)));
    let Some((field, word)) = words else {
        return Err(Problem::invalid(STAGE, "没有这个查询条件"));
    };
    if Stage::from_code(text).is_none() {
        let known: Vec<_> =
            Stage::ALL.iter().map(|one| format!("{} {}", one.code(), one.label())).collect();
        let detail = format!("追溯环节：没有代码 {text}，应为：{}", known.join("、"));
        return Err(Problem::invalid(STAGE, detail));
    }
    Ok((field, Comparison::Contains, SqlValue::Text(word(text))))
}

/// Whether the conditions name a field that the reader is not cleared for: then the answer would
/// tell what the field holds.
pub(crate) fn require_clearance(ctx: &Ctx, entity: &Entity, listing: &Listing) -> Result<()> {
    let mut hidden = record::hidden(ctx, entity);
    let asked = |name: &str| {
        listing.sort.column == name
            || listing.conditions.iter().any(|(field, ..)| field.name == name)
    };
    match hidden.find(|field| asked(field.name)) {
        Some(field) => Err(Problem::invalid(field.name, "没有这个查询条件")),
        None => Ok(()),
    }
}

/// Answers a list request.
pub(crate) async fn list(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &'static Entity,
    query: &str,
) -> Result<Value> {
    let listing = Listing::parse(ctx.app(), tx, entity, query).await?;
    require_clearance(ctx, entity, &listing)?;
    let total = match listing.count {
        Counting::No => Value::Null,
        _ => listing.total(ctx, tx, entity).await?,
    };
    if listing.count == Counting::Only {
        return Ok(json!({ "items": [], "next": null, "total": total, "names": {} }));
    }
    let mut items = listing.page(ctx, tx, entity).await?;
    // A full page may have a successor.
    let full = i64::try_from(items.len()).is_ok_and(|count| count == listing.per_page);
    let next = match items.last().filter(|_| full) {
        Some(last) => Value::from(listing.cursor(entity, last)?.encode()),
        None => Value::Null,
    };
    let names = called::called(ctx, tx, entity, (&items, "name")).await?;
    for item in &mut items {
        record::veil(ctx, entity, item);
    }
    Ok(json!({ "items": items, "next": next, "total": total, "names": names }))
}
