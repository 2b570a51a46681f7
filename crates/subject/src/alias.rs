//! 旧代码 (handbook §2.3, §2.4): codes a subject had before, or has elsewhere. They lead to it for
//! ever: none is removed, none is given to another.

use serde::{Deserialize, Serialize};
use yj_kernel::{Columns, Ctx, Field, Kind, Match, Problem, Resource, Result, Scoping, Sql, Tx};
use yj_model::{FORMER_CODE_KINDS, FormerCodeKind, Id, RegionCode, former_code};

use crate::{lookup, standing::Status, subject::TraceSubject};

/// 旧代码
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectAlias {
    /// 旧代码
    pub code: String,
    /// 旧代码类型
    pub kind: String,
    /// 追溯主体
    pub subject_id: Id<TraceSubject>,
    /// 备注
    pub note: Option<String>,
    /// Region of the subject.
    pub region: Option<RegionCode>,
}

/// Narrow letters, upper case, no hyphens: what is looked up. The kind has its own rule.
#[expect(clippy::unnecessary_wraps, reason = "what a field's check is")]
pub(crate) fn tidied(text: &str) -> Result<String, String> {
    Ok(former_code(text))
}

impl Resource for SubjectAlias {
    const TABLE: &'static str = "subject_alias";
    const TITLE: &'static str = "旧代码";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("subject_id"),
        label: Some("label"),
        ..Columns::NONE
    });
    const REVIEWED: bool = true;
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("code", "旧代码", Kind::Text)
            .checked(tidied)
            .length_max(32)
            .format("an..20")
            .filter(Match::Exact)
            .sortable()
            .public()
            .hint("登记后永久对应该主体，不能改动或删除"),
        Field::new("kind", "旧代码类型", Kind::Code(FORMER_CODE_KINDS))
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("subject_id", "追溯主体", Kind::Id("trace_subject")).filter(Match::Exact),
        Field::new("note", "备注", Kind::Text).optional(),
        Field::new("region", "所属区域", Kind::Region)
            .filter(Match::Prefix)
            .computed()
            .hint("由追溯主体确定"),
    ];

    async fn check(&mut self, _: &Ctx, tx: &mut Tx) -> Result<()> {
        let kind = FormerCodeKind::from_code(&self.kind)
            .ok_or_else(|| Problem::internal("a kind outside its code list"))?;
        let code = kind.check(&self.code);
        self.code = code.map_err(|error| Problem::invalid("code", error.to_string()))?;
        let sql = Sql::new("SELECT 1 FROM trace_subject WHERE code = $1 AND status <> $2");
        let sql = sql.arg(self.code.as_str()).arg(Status::Merged.code());
        if tx.fetch_one(sql).await?.is_some() {
            return Err(Problem::invalid("code", "这个代码是一个追溯主体的现用代码"));
        }
        self.region = Some(subject_region(tx, self.subject_id).await?);
        Ok(())
    }

    async fn admit(&self, before: Option<&Self>, _: &Ctx, _: &mut Tx) -> Result<()> {
        let named = |alias: &Self| (alias.code.clone(), alias.kind.clone(), alias.subject_id);
        if before.is_none_or(|before| named(before) == named(self)) {
            return Ok(());
        }
        Err(Problem::Conflict(String::from("旧代码永久对应登记时的主体，只能改动备注")))
    }

    fn sample(n: u32) -> Self {
        Self {
            code: format!("610116001{:04}", n % 10_000),
            kind: String::from("merchant13"),
            subject_id: Id::from_parts(1, u128::from(n)),
            note: Some(String::from("示例旧平台")),
            region: None,
        }
    }
}

/// Where a subject lies; one that was merged has nothing new registered under it.
pub(crate) async fn subject_region(tx: &mut Tx, id: Id<TraceSubject>) -> Result<RegionCode> {
    let sql = Sql::new("SELECT region, status FROM trace_subject WHERE id = $1");
    let row = tx.fetch_one(sql.arg(id)).await?;
    let row = row.ok_or_else(|| Problem::internal("a subject that was there is missing"))?;
    if Status::stored(row.text(1)?)? == Status::Merged {
        return Err(Problem::invalid("subject_id", "该主体已并入其他主体，请登记在并入的主体上"));
    }
    row.text(0)?.parse().map_err(Problem::internal)
}

/// All former codes of one subject are the other's from now on.
pub(crate) async fn hand_over(
    ctx: &Ctx,
    tx: &mut Tx,
    (from, into): (Id<TraceSubject>, Id<TraceSubject>),
) -> Result<()> {
    let codes = Sql::new("SELECT id FROM subject_alias WHERE subject_id = $1").arg(from);
    let region = subject_region(tx, into).await?;
    for row in tx.fetch(codes).await? {
        let body = serde_json::json!({ "subject_id": [from.to_string(), into.to_string()] });
        let (table, record) = (SubjectAlias::TABLE, row.text(0)?);
        let entry = yj_kernel::audit::Entry { action: "updated", entity: table, record, body };
        yj_kernel::audit::write(ctx, tx, entry);
    }
    let sql = Sql::new(
        "UPDATE subject_alias SET subject_id = $1, region = $2, version = version + 1, \
         updated_at = $3, updated_by = $4 WHERE subject_id = $5",
    );
    let sql = sql.arg(into).arg(region.as_str()).arg(ctx.now_ms()).arg(ctx.actor()).arg(from);
    tx.execute(sql).await?;
    let briefs = lookup::by_ids(tx, &[&from.to_string()]).await?;
    let merged = briefs.into_values().next();
    let merged = merged.ok_or_else(|| Problem::internal("a subject that was there is missing"))?;
    let kind = if merged.code.starts_with("ZS") { "zs" } else { "uscc" };
    let alias = SubjectAlias {
        code: merged.code,
        kind: String::from(kind),
        subject_id: into,
        note: Some(String::from("主体合并")),
        region: None,
    };
    tx.insert(ctx, &alias).await.map(drop)
}
