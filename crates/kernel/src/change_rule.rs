//! 变更权限 (G-6.2.2-3, G-6.3.3, D-7.2.2): how each field of a register may be changed after
//! registration: freely, with the approval of somebody high enough, or never.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{HeaderMap, Method},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_model::RegionCode;

use crate::{
    Access, Body, Ctx, DataClass, Entity, Field, FieldError, Param, Problem, Result, Route, Scope,
    Shape, Sql, Tx, audit,
    field::time_text,
    http::{expected_version, sound_reason},
    json::Object,
    listing::apart,
};

/// How one field may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// 自行变更: at once, by whoever may write the record.
    Free,
    /// 经审核变更: by a reviewer whose reach is at least that of the level.
    Reviewed(Level),
    /// 不得变更
    Never,
}

/// How far the reach of a reviewer must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// 任意审核人
    Any,
    /// 县级
    County,
    /// 市级
    City,
    /// 省级
    Province,
}

impl Level {
    const ALL: [Self; 4] = [Self::Any, Self::County, Self::City, Self::Province];

    fn code(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::County => "county",
            Self::City => "city",
            Self::Province => "province",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Any => "任意一级",
            Self::County => "县级",
            Self::City => "市级",
            Self::Province => "省级",
        }
    }

    /// Whether a right that is limited to a region, or to none, is high enough.
    fn reached(self, region: Option<&RegionCode>) -> bool {
        let deepest = match self {
            Self::Any => u8::MAX,
            Self::County => 3,
            Self::City => 2,
            Self::Province => 1,
        };
        region.is_none_or(|region| region.level() <= deepest)
    }

    /// Whether one of the rights that reach a record is high enough.
    fn within(self, scope: &Scope) -> bool {
        // A right to one's own organisation alone is nobody's supervision.
        let high = |limit: &crate::Limit| {
            self.reached(limit.region.as_ref())
                && (self == Self::Any || limit.organization.is_none() || limit.region.is_some())
        };
        scope.limits().iter().any(high)
    }
}

impl Rule {
    fn code(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Reviewed(_) => "reviewed",
            Self::Never => "never",
        }
    }

    fn level(self) -> Level {
        match self {
            Self::Reviewed(level) => level,
            Self::Free | Self::Never => Level::Any,
        }
    }

    /// What a register does where nothing is set.
    fn usual(entity: &Entity) -> Self {
        if entity.reviewed { Self::Reviewed(Level::Any) } else { Self::Free }
    }

    fn read(code: &str, level: i64) -> Result<Self> {
        let level = usize::try_from(level).ok().and_then(|at| Level::ALL.get(at).copied());
        match (code, level) {
            ("free", _) => Ok(Self::Free),
            ("never", _) => Ok(Self::Never),
            ("reviewed", Some(level)) => Ok(Self::Reviewed(level)),
            _ => Err(Problem::internal(format!("change_rule holds {code}"))),
        }
    }
}

type Rules = BTreeMap<String, (Rule, i64)>;

async fn rules(tx: &mut Tx, entity: &Entity) -> Result<Rules> {
    let sql = Sql::new("SELECT field, rule, level, version FROM change_rule WHERE entity = $1");
    let rows = tx.fetch(sql.arg(entity.table)).await?;
    let rule = |row: &crate::Row| {
        let rule = Rule::read(row.text(1)?, row.int(2)?)?;
        Ok((String::from(row.text(0)?), (rule, row.int(3)?)))
    };
    rows.iter().map(rule).collect()
}

/// What has to happen before a change of some fields is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Nothing: it is written at once.
    Nothing,
    /// Somebody of this level approves it.
    Approval(Level),
}

/// What a change of a record takes, or which of its fields may not change.
pub(crate) async fn demand(
    tx: &mut Tx,
    entity: &Entity,
    (before, after): (&Object, &Object),
) -> Result<Demand> {
    let rules = rules(tx, entity).await?;
    let changed = |field: &&Field| {
        let side = |object: &Object| object.get(field.name).cloned().unwrap_or(Value::Null);
        !field.computed && side(before) != side(after)
    };
    let (mut never, mut demand) = (Vec::new(), None);
    for field in entity.fields.iter().filter(changed) {
        let rule = rules.get(field.name).map_or(Rule::usual(entity), |(rule, _)| *rule);
        match rule {
            Rule::Free => {}
            Rule::Reviewed(level) => demand = demand.max(Some(level)),
            Rule::Never => never.push(FieldError {
                field: String::from(field.name),
                detail: format!("{}登记后不得变更", field.label),
            }),
        }
    }
    if !never.is_empty() {
        return Err(Problem::Invalid(never));
    }
    // Where nothing is different the register's own way decides.
    let nothing = !entity.fields.iter().any(|field| changed(&field));
    let usual = (nothing && entity.reviewed).then_some(Level::Any);
    Ok(demand.or(usual).map_or(Demand::Nothing, Demand::Approval))
}

/// Refuses a reviewer who is not high enough for what a request changes.
pub(crate) async fn require_level(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    change: (&Object, &Object),
) -> Result<()> {
    match demand(tx, entity, change).await? {
        Demand::Approval(level) if !level.within(ctx.scope()) => {
            let detail = format!("所改字段须由{}审核人审核", level.label());
            Err(Problem::Forbidden(detail))
        }
        Demand::Nothing | Demand::Approval(_) => Ok(()),
    }
}

/// How a field may be changed from now on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewRule {
    /// free 自行变更、reviewed 经审核变更、never 不得变更
    rule: String,
    /// any 任意一级、county 县级、city 市级、province 省级；经审核变更时有效
    #[serde(default)]
    level: Option<String>,
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// `change-rules`
pub(crate) fn routes() -> Vec<Route> {
    let path = "/api/v1/change-rules";
    let one = format!("{path}/{{entity}}/{{field}}");
    vec![
        Route::new((Method::GET, path), Access::SignedIn, "变更权限", list).query(&[Param {
            name: "entity",
            label: "登记表；不写则列出全部登记表",
            required: false,
        }]),
        Route::new(
            (Method::PUT, one.as_str()),
            Access::permission("change_rule:write"),
            "设置变更权限",
            set,
        )
        .takes(Shape::of::<NewRule>())
        .versioned()
        .fresh(),
    ]
}

fn register(ctx: &Ctx, table: &str) -> Result<&'static Entity> {
    ctx.app().offered().find(|entity| entity.table == table).ok_or(Problem::NotFound("登记表"))
}

fn shown(entity: &Entity, field: &Field, known: Option<&(Rule, i64)>) -> Value {
    let (rule, version) = known.copied().unwrap_or((Rule::usual(entity), 0));
    json!({
        "field": field.name, "label": field.label, "rule": rule.code(),
        "level": rule.level().code(), "version": version, "set": known.is_some(),
    })
}

/// The fields of one register with their rules; without one, the registers with how many are set.
async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let ([table], _) = apart(&query.unwrap_or_default(), ["entity"]);
    let mut tx = ctx.snapshot().await?;
    let Some(table) = table else {
        let sql = "SELECT entity, COUNT(*) FROM change_rule GROUP BY entity";
        let rows = tx.fetch(Sql::new(sql)).await?;
        let set = |entity: &Entity| {
            let found =
                rows.iter().find(|row| row.text(0).is_ok_and(|table| table == entity.table));
            found.map_or(Ok(0), |row| row.int(1))
        };
        let item = |entity: &'static Entity| {
            Ok(json!({
                "entity": entity.table, "title": entity.title, "reviewed": entity.reviewed,
                "set": set(entity)?,
            }))
        };
        let items = ctx.app().offered().map(item).collect::<Result<Vec<_>>>()?;
        return Ok(Json(json!({ "items": items })));
    };
    let entity = register(&ctx, &table)?;
    let rules = rules(&mut tx, entity).await?;
    let fields = entity.fields.iter().filter(|field| !field.computed);
    let items: Vec<_> = fields.map(|field| shown(entity, field, rules.get(field.name))).collect();
    Ok(Json(json!({ "entity": entity.table, "reviewed": entity.reviewed, "items": items })))
}

async fn set(
    ctx: Ctx,
    Path((table, name)): Path<(String, String)>,
    headers: HeaderMap,
    Body(body): Body<NewRule>,
) -> Result<Json<Value>> {
    let entity = register(&ctx, &table)?;
    let field = entity.field(&name).filter(|field| !field.computed);
    let field = field.ok_or(Problem::NotFound("字段"))?;
    let reason = sound_reason(&body.reason)?;
    let version = expected_version(&headers)?;
    let level = body.level.as_deref().unwrap_or("any");
    let level = Level::ALL.into_iter().find(|known| known.code() == level);
    let level =
        level.ok_or_else(|| Problem::invalid("level", "应为 any、county、city 或 province"))?;
    let rule = match body.rule.as_str() {
        "free" if field.class == DataClass::Sensitive => {
            return Err(Problem::invalid("rule", "敏感字段的变更须经审核"));
        }
        "free" => Rule::Free,
        "never" => Rule::Never,
        "reviewed" if entity.reviewed => Rule::Reviewed(level),
        "reviewed" => {
            let detail = format!("{}的登记不经审核，只能为 free 或 never", entity.title);
            return Err(Problem::invalid("rule", detail));
        }
        _ => return Err(Problem::invalid("rule", "应为 free、reviewed 或 never")),
    };
    let mut tx = ctx.begin().await?;
    let before = rules(&mut tx, entity).await?;
    let before = before.get(field.name);
    if before.map_or(0, |(_, version)| *version) != version {
        return Err(Problem::Stale("变更权限"));
    }
    let sql = Sql::new(
        "INSERT INTO change_rule (entity, field, rule, level, version, updated_at, updated_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (entity, field) DO UPDATE SET \
         rule = excluded.rule, level = excluded.level, version = excluded.version, \
         updated_at = excluded.updated_at, updated_by = excluded.updated_by \
         WHERE change_rule.version = excluded.version - 1",
    );
    let sql = sql.arg(entity.table).arg(field.name).arg(rule.code());
    let sql = sql.arg(i64::from(rule.level() as u8)).arg(version + 1);
    if tx.execute(sql.arg(ctx.now_ms()).arg(ctx.actor())).await? == 0 {
        return Err(Problem::Stale("变更权限"));
    }
    let record = format!("{}.{}", entity.table, field.name);
    let was = shown(entity, field, before);
    let after = shown(entity, field, Some(&(rule, version + 1)));
    let body = json!({
        "rule": [was["rule"], after["rule"]], "level": [was["level"], after["level"]],
        "reason": reason, "at": time_text(ctx.now_ms())?,
    });
    let entry = audit::Entry { action: "updated", entity: "change_rule", record: &record, body };
    audit::write(&ctx, &mut tx, entry);
    crate::outbox::announce(&ctx, &mut tx, ("change_rule", "updated"), &record, &after);
    tx.commit().await?;
    Ok(Json(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_reached_from_it_and_from_above() {
        let region = |code: &str| code.parse::<RegionCode>().ok();
        let reached = |level: Level, code: &str| level.reached(region(code).as_ref());
        assert!(Level::City.reached(None));
        assert!(reached(Level::City, "610100") && reached(Level::City, "610000"));
        assert!(!reached(Level::City, "610116") && !reached(Level::Province, "610100"));
        assert!(reached(Level::County, "610116") && reached(Level::Any, "610116001"));
        assert!(!reached(Level::County, "610116001"));
    }
}
