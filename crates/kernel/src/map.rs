//! 地图 (G-3.2, G-6.2.3): the records of a list as points and clusters, and as GeoJSON.

use axum::{Json, extract::RawQuery, http::Method, response::Response};
use serde_json::{Value, json};
use yj_model::{Datum, GeoPoint};

use crate::{
    Access, Ctx, DataClass, Entity, Field, Kind, Match, Param, Problem, Result, Route, Shape, Sql,
    Tx, area, audit, called, code_list,
    json::Object,
    listing::{self, Listing, apart},
    record, transfer,
};

/// Cells of a map from west to east.
const GRID: std::ops::RangeInclusive<i64> = 4..=96;
const GRID_DEFAULT: i64 = 24;
/// Features of one GeoJSON file.
const FEATURES_MAX: i64 = 20_000;
/// The whole of China.
const CHINA: &str = "73,3,136,54";

/// `map` and `geojson` of a register whose records lie somewhere.
pub(crate) fn routes(entity: &'static Entity) -> Vec<Route> {
    if !area::placed(entity) {
        return Vec::new();
    }
    let title = entity.title;
    let path = |tail: &str| (Method::GET, format!("/api/v1/{}/{tail}", entity.table));
    let read = || Access::Permission(entity.permission("read"));
    let map = move |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let query = query.unwrap_or_default();
        let mut tx = ctx.snapshot().await?;
        let answer = clusters(&ctx, &mut tx, entity, &query).await?;
        Ok::<_, Problem>(Json(answer))
    };
    let features = move |ctx: Ctx, RawQuery(query): RawQuery| async move {
        geojson(&ctx, entity, &query.unwrap_or_default()).await
    };
    vec![
        Route::new(path("map"), read(), format!("{title}分布"), map).query(&[
            Param { name: "box", label: "西,南,东,北；缺省为全国", required: false },
            Param { name: "grid", label: "自西向东的格数，4 至 96", required: false },
            Param { name: "by", label: "按此代码字段分别计数", required: false },
        ]),
        Route::new(path("geojson"), read(), format!("导出{title}空间数据"), features)
            .gives(Shape::Bytes("application/geo+json")),
    ]
}

/// What is seen of the map, in ten-millionths of a degree.
struct Window {
    west: i64,
    south: i64,
    east: i64,
    north: i64,
}

impl Window {
    fn parse(text: &str) -> Result<Self> {
        let wrong = || Problem::invalid("box", "应为“西,南,东,北”，如 105.5,31.7,111.3,39.6");
        let parts: Vec<_> = text.split(',').collect();
        let [west, south, east, north] = parts.as_slice() else { return Err(wrong()) };
        let corner = |lon: &str, lat: &str| {
            let point = GeoPoint::parse(lon, lat, Datum::Cgcs2000);
            point.map(GeoPoint::scaled).map_err(|error| Problem::invalid("box", error.to_string()))
        };
        let ((west, south), (east, north)) = (corner(west, south)?, corner(east, north)?);
        if west < east && south < north {
            Ok(Self { west, south, east, north })
        } else {
            Err(wrong())
        }
    }
}

/// A code field of a register that its records can be told apart by.
fn divided(ctx: &Ctx, entity: &'static Entity, name: &str) -> Result<&'static Field> {
    let hidden = record::hidden(ctx, entity).any(|hidden| hidden.name == name);
    let field = entity.field(name).filter(|field| {
        !hidden && matches!(field.kind, Kind::Code(_) | Kind::Bool) && field.filter != Match::Never
    });
    field.ok_or_else(|| Problem::invalid("by", "应为可检索的代码字段"))
}

async fn clusters(ctx: &Ctx, tx: &mut Tx, entity: &'static Entity, query: &str) -> Result<Value> {
    let ([window, grid, by], rest) = apart(query, ["box", "grid", "by"]);
    let window = Window::parse(window.as_deref().unwrap_or(CHINA))?;
    let grid = match grid {
        Some(text) => listing::number("grid", &text, *GRID.end())?.max(*GRID.start()),
        None => GRID_DEFAULT,
    };
    let by = by.map(|name| divided(ctx, entity, &name)).transpose()?;
    let listing = Listing::counted(ctx, tx, entity, &rest).await?;
    let cell = ((window.east - window.west) / grid).max(1);
    let kind = by.map_or("NULL", |field| field.name);
    let mut sql = Sql::new("SELECT lon_e7 / ");
    sql.bind(cell).push(" AS across, lat_e7 / ").bind(cell).push(" AS up, COUNT(*), ");
    sql.push("CAST(AVG(lon_e7) AS BIGINT), CAST(AVG(lat_e7) AS BIGINT), MIN(id), ").push(kind);
    sql.push(" AS part FROM ").push(entity.table).push(" WHERE lon_e7 BETWEEN ");
    sql.bind(window.west).push(" AND ").bind(window.east).push(" AND lat_e7 BETWEEN ");
    sql.bind(window.south).push(" AND ").bind(window.north);
    ctx.scope().narrow(&mut sql, tx, entity.scoping);
    listing.narrow(&mut sql, tx, entity).await?;
    sql.push(" GROUP BY 1, 2, 7 ORDER BY 1, 2, 7");
    let mut found: Vec<Cluster> = Vec::new();
    for row in tx.fetch(sql).await? {
        let part = Cluster {
            cell: (row.int(0)?, row.int(1)?),
            count: row.int(2)?,
            lon: row.int(3)?,
            lat: row.int(4)?,
            id: String::from(row.text(5)?),
            parts: Object::new(),
        };
        let code = by.map(|field| field.decode(row.cell(6)?)).transpose()?;
        let code = code.map(|code| code.as_str().map_or_else(|| code.to_string(), String::from));
        match found.last_mut().filter(|last| last.cell == part.cell) {
            Some(last) => last.join(&part, code),
            None => found.push(part.first(code)),
        }
    }
    let mut unplaced = Sql::new("SELECT COUNT(*) FROM ");
    unplaced.push(entity.table).push(" WHERE lon_e7 IS NULL");
    ctx.scope().narrow(&mut unplaced, tx, entity.scoping);
    listing.narrow(&mut unplaced, tx, entity).await?;
    let unplaced = tx.fetch_one(unplaced).await?.map_or(Ok(0), |row| row.int(0))?;
    let names = called(tx, entity, &found).await?;
    let count: i64 = found.iter().map(|cluster| cluster.count).sum();
    let clusters: Vec<_> = found.iter().map(|cluster| cluster.json(&names)).collect();
    let cell = GeoPoint::from_scaled(cell, 0).texts().0;
    Ok(json!({ "clusters": clusters, "count": count, "unplaced": unplaced, "cell": cell }))
}

/// Records that share a cell.
struct Cluster {
    cell: (i64, i64),
    count: i64,
    lon: i64,
    lat: i64,
    id: String,
    parts: Object,
}

impl Cluster {
    fn first(mut self, code: Option<String>) -> Self {
        if let Some(code) = code {
            self.parts.insert(code, self.count.into());
        }
        self
    }

    fn join(&mut self, other: &Self, code: Option<String>) {
        let count = self.count + other.count;
        let mean = |one: i64, two: i64| (one * self.count + two * other.count) / count;
        (self.lon, self.lat) = (mean(self.lon, other.lon), mean(self.lat, other.lat));
        self.count = count;
        if let Some(code) = code {
            self.parts.insert(code, other.count.into());
        }
    }

    fn json(&self, names: &Object) -> Value {
        let (lon, lat) = GeoPoint::from_scaled(self.lon, self.lat).texts();
        let mut cluster = json!({ "lon": lon, "lat": lat, "count": self.count });
        if self.count == 1 {
            cluster["id"] = Value::from(self.id.as_str());
            cluster["name"] = names.get(&self.id).cloned().unwrap_or_default();
        }
        if !self.parts.is_empty() {
            cluster["parts"] = Value::Object(self.parts.clone());
        }
        cluster
    }
}

/// What single records are called.
async fn called(tx: &mut Tx, entity: &Entity, found: &[Cluster]) -> Result<Object> {
    let single: Vec<_> =
        found.iter().filter(|one| one.count == 1).map(|one| one.id.as_str()).collect();
    let label = ["name", "model", "code"].into_iter().find(|name| entity.field(name).is_some());
    let (Some(label), false) = (label, single.is_empty()) else { return Ok(Object::new()) };
    let mut sql = Sql::new("SELECT id, ");
    sql.push(label).push(" FROM ").push(entity.table).push(" WHERE id ").bind_texts(single);
    let rows = tx.fetch(sql).await?;
    rows.iter().map(|row| Ok((String::from(row.text(0)?), row.text(1)?.into()))).collect()
}

/// The records of a list as GeoJSON, with every field that the reader may see in the register and
/// that is nobody's 个人信息, named as the register's import names them; those that lie nowhere are
/// left out.
async fn geojson(ctx: &Ctx, entity: &'static Entity, query: &str) -> Result<Response> {
    let mut tx = ctx.snapshot().await?;
    let entity = code_list::present(ctx.app(), &mut tx, entity).await?;
    let mut listing = Listing::counted(ctx, &mut tx, entity, query).await?.unpaged();
    let rows = listing.size(&[ctx.scope()], &mut tx, (entity, FEATURES_MAX)).await?;
    if rows > FEATURES_MAX {
        let detail = format!("超过 {FEATURES_MAX} 个要素，请增加查询条件后分批导出");
        return Err(Problem::TooLarge(detail));
    }
    let fields = shown(ctx, entity);
    let mut features = Vec::new();
    loop {
        let page = listing.page(ctx, &mut tx, entity).await?;
        let Some(last) = page.last() else { break };
        listing.continued(entity, last)?;
        let codes = called::called(ctx, &mut tx, entity, (&page, "code")).await?;
        features.extend(page.iter().filter_map(|record| feature((&fields, &codes), record)));
    }
    drop(tx);
    let count = features.len();
    let file = json!({ "type": "FeatureCollection", "features": features });
    let mut tx = ctx.begin().await?;
    let body = json!({
        "dataset": entity.table, "query": crate::personal_search::redacted(entity, query), "rows": count,
        "format": "geojson", "recipient": ctx.actor(),
    });
    let entry = audit::Entry { action: "exported", entity: entity.table, record: "", body };
    audit::write(ctx, &mut tx, entry);
    tx.commit().await?;
    ctx.app().authenticator().exported(ctx).await;
    let name = format!("{}.geojson", entity.title);
    Ok(transfer::download(&name, "application/geo+json", file.to_string().into()))
}

/// What a feature says of its record besides the place.
fn shown(ctx: &Ctx, entity: &'static Entity) -> Vec<&'static Field> {
    let hidden: Vec<_> = record::hidden(ctx, entity).map(|field| field.name).collect();
    let shown = |field: &&Field| {
        field.class != DataClass::Personal
            && field.kind != Kind::Json
            && !matches!(field.name, "lon" | "lat")
            && !hidden.contains(&field.name)
    };
    entity.fields.iter().filter(shown).collect()
}

/// One record; those it refers to by their `codes`.
fn feature((fields, codes): (&[&'static Field], &Object), record: &Object) -> Option<Value> {
    let number = |name: &str| record.get(name)?.as_str()?.parse::<f64>().ok();
    let (lon, lat) = (number("lon")?, number("lat")?);
    let shown = |field: &&'static Field| {
        let value = record.get(field.name)?;
        let referred = value.as_str().filter(|_| matches!(field.kind, Kind::Id(_)));
        let value = referred.and_then(|id| codes.get(id)).unwrap_or(value);
        Some((String::from(field.label), Value::from(field.display(value))))
    };
    let properties: Object = fields.iter().filter_map(shown).collect();
    Some(json!({
        "type": "Feature", "id": record.get("id"),
        "geometry": { "type": "Point", "coordinates": [lon, lat] }, "properties": properties,
    }))
}
