//! 告警 (GB/T 22239 8.1.4.4, S-28): what security administrators must look at.

use serde_json::{Value, json};
use yj_kernel::{
    App, Columns, Ctx, Principal, Problem, Result, Row, Scoping, Sql, Tx, audit, time_text,
};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 权限记录被改动
    RightsTampered,
    /// 口令被反复试探
    BruteForce,
    /// 反复访问无权的记录
    Probing,
    /// 审计链不完整
    AuditBroken,
    /// 请求签名反复不符
    BadSignatures,
    /// 时钟偏差
    ClockDrift,
    /// 等保自查未通过
    ControlFailed,
    /// 短时间大量导出
    MassExport,
    /// 管理或监管人员从未用过的网络登录
    NewPlace,
    /// 审计转发中断
    ForwardStalled,
    /// 设备数据签名不符、证书失效或前后矛盾
    DeviceDistrusted,
    /// 见证方拒签：存证日志自相矛盾
    LedgerContradicted,
    /// 防篡改检查有发现
    LedgerTampered,
    /// 外部锚定失败，或外部网络上的树根与本链不同
    AnchorFailed,
}

impl Kind {
    fn code(self) -> &'static str {
        match self {
            Self::RightsTampered => "rights_tampered",
            Self::BruteForce => "brute_force",
            Self::Probing => "probing",
            Self::AuditBroken => "audit_broken",
            Self::BadSignatures => "bad_signatures",
            Self::ClockDrift => "clock_drift",
            Self::ControlFailed => "control_failed",
            Self::MassExport => "mass_export",
            Self::NewPlace => "new_place",
            Self::ForwardStalled => "forward_stalled",
            Self::DeviceDistrusted => "device_distrusted",
            Self::LedgerContradicted => "ledger_contradicted",
            Self::LedgerTampered => "ledger_tampered",
            Self::AnchorFailed => "anchor_failed",
        }
    }
}

/// Whom or what an alarm is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    subject: &'a str,
    /// Place of its organisation in the tree; empty for the platform itself.
    path: &'a str,
}

impl<'a> About<'a> {
    /// Somebody of an organisation.
    pub(crate) const fn member(subject: &'a str, path: &'a str) -> Self {
        Self { subject, path }
    }

    /// Whoever acts.
    pub(crate) fn principal(principal: &'a Principal) -> Self {
        Self { subject: &principal.user, path: &principal.organization_path }
    }

    /// A part of the platform.
    pub(crate) const fn platform(subject: &'a str) -> Self {
        Self { subject, path: "" }
    }
}

/// Raises an alarm, unless the same one is open. Failing to raise it is logged and changes
/// nothing about the refusal that caused it.
pub(crate) async fn raise(app: &App, kind: Kind, about: About<'_>, detail: &str) {
    if let Err(problem) = try_raise(app, kind, about, detail).await {
        problem.log();
    }
}

/// Raises the alarm that data in a device's name are not to be believed, unless one is open.
pub async fn alarm_of_device(app: &App, mac: &str, detail: &str) {
    raise(app, Kind::DeviceDistrusted, About::platform(mac), detail).await;
}

/// Raises the alarm that a witness found the ledger contradicting itself, unless one is open.
pub async fn alarm_of_ledger(app: &App, witness: &str, detail: &str) {
    raise(app, Kind::LedgerContradicted, About::platform(witness), detail).await;
}

/// Raises the alarm that a record, or the ledger itself, is not as it was anchored, unless one is open.
pub async fn alarm_of_tampering(app: &App, record: &str, detail: &str) {
    raise(app, Kind::LedgerTampered, About::platform(record), detail).await;
}

/// Raises the alarm that a network holds another history than ours, or takes ours no more, unless
/// one is open.
pub async fn alarm_of_anchor(app: &App, network: &str, detail: &str) {
    raise(app, Kind::AnchorFailed, About::platform(network), detail).await;
}

async fn try_raise(app: &App, kind: Kind, about: About<'_>, detail: &str) -> Result<()> {
    let About { subject, path } = about;
    let ctx = app.on_own_behalf("alarm");
    let mut tx = ctx.begin().await?;
    let sql =
        Sql::new("SELECT 1 FROM alarm WHERE kind = $1 AND subject = $2 AND settled_at IS NULL");
    if tx.fetch_one(sql.arg(kind.code()).arg(subject)).await?.is_some() {
        return Ok(());
    }
    let id = ctx.new_id::<()>().to_string();
    let sql = Sql::new(
        "INSERT INTO alarm (id, at, kind, subject, detail, organization_path) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    );
    let sql = sql.arg(id.as_str()).arg(ctx.now_ms()).arg(kind.code()).arg(subject).arg(detail);
    tx.later([sql.arg(path)]);
    let body = json!({ "kind": kind.code(), "subject": subject, "detail": detail });
    audit::write(
        &ctx,
        &mut tx,
        audit::Entry { action: "alarmed", entity: "alarm", record: &id, body },
    );
    tx.commit().await
}

const SELECT: &str =
    "SELECT id, at, kind, subject, detail, settled_at, settled_by, comment FROM alarm WHERE 1 = 1";
const SCOPING: Scoping =
    Scoping::By(Columns { organization: Some("organization_path"), ..Columns::NONE });

fn read(row: &Row) -> Result<Value> {
    let settled_at = row.int_opt(5)?.map(time_text).transpose()?;
    Ok(json!({
        "id": row.text(0)?, "at": time_text(row.int(1)?)?, "kind": row.text(2)?,
        "subject": row.text(3)?, "detail": row.text(4)?, "settled_at": settled_at,
        "settled_by": row.text_opt(6)?, "comment": row.text_opt(7)?,
    }))
}

/// Alarms within reach, open ones first, newest first.
pub(crate) async fn list(ctx: &Ctx, tx: &mut Tx) -> Result<Value> {
    let mut sql = Sql::new(SELECT);
    ctx.scope().narrow(&mut sql, tx, SCOPING);
    sql.push(" ORDER BY CASE WHEN settled_at IS NULL THEN 0 ELSE 1 END, id DESC LIMIT 200");
    let rows = tx.fetch(sql).await?;
    Ok(json!({ "items": rows.iter().map(read).collect::<Result<Vec<_>>>()? }))
}

/// How many within reach wait for somebody to look at them.
pub async fn open_alarms(ctx: &Ctx, tx: &mut Tx) -> Result<i64> {
    let mut sql = Sql::new("SELECT COUNT(*) FROM alarm WHERE settled_at IS NULL");
    ctx.scope().narrow(&mut sql, tx, SCOPING);
    tx.fetch_one(sql).await?.map_or(Ok(0), |row| row.int(0))
}

/// Settles an alarm: somebody has looked at it and says what it was.
pub(crate) async fn settle(ctx: &Ctx, tx: &mut Tx, (id, comment): (&str, &str)) -> Result<Value> {
    let mut sql = Sql::new("UPDATE alarm SET settled_at = ");
    sql.bind(ctx.now_ms()).push(", settled_by = ").bind(ctx.actor());
    sql.push(", comment = ").bind(comment).push(" WHERE settled_at IS NULL AND id = ").bind(id);
    ctx.scope().narrow(&mut sql, tx, SCOPING);
    if tx.execute(sql).await? == 0 {
        return match one(ctx, tx, id).await {
            Ok(_) => Err(Problem::Conflict(String::from("该告警已处置"))),
            Err(problem) => Err(problem),
        };
    }
    let body = json!({ "comment": comment });
    audit::write(ctx, tx, audit::Entry { action: "settled", entity: "alarm", record: id, body });
    one(ctx, tx, id).await
}

async fn one(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Value> {
    let mut sql = Sql::new(SELECT);
    sql.push(" AND id = ").bind(id);
    ctx.scope().narrow(&mut sql, tx, SCOPING);
    read(&tx.fetch_one(sql).await?.ok_or(Problem::NotFound("告警"))?)
}
