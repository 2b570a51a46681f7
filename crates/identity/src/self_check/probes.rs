//! The live checks: each asks the running platform whether a control does what it should.

use yj_kernel::{App, DataClass, Problem, Result, Sql, Tx, audit, vault};
use yj_model::OffsetTime;

use super::Finding;
use crate::{Identity, clock, password, rights, seal, session};

/// What people take for passwords.
const GUESSABLE: [&str; 6] =
    ["admin", "123456", "Admin@123456", "Qwerty@12345!", "P@ssw0rd-2026", "Zhangsan@2026"];
/// Records of one register that are looked at; the newest.
const SAMPLED: i64 = 2_000;

/// Every live check, with the number of its control.
pub(super) async fn run(identity: &Identity, app: &App) -> Result<Vec<(&'static str, Finding)>> {
    Ok(vec![
        ("S-01", passwords(identity)),
        ("S-05", factors(identity, app).await?),
        ("S-08", sessions(identity, app).await?),
        ("S-11", networks(identity)),
        ("S-12", administrators(app).await?),
        ("S-14", dormant(identity, app).await?),
        ("S-15", labels(app).await?),
        ("S-16", seals(app).await?),
        ("S-23", trail(app).await?),
        ("S-24", retention(identity, app).await?),
        ("S-25", forwarded(identity, app).await?),
        ("S-27", clocks(identity, app).await?),
        ("S-29", sealed(app).await?),
        ("S-30", keys(app)?),
        ("S-33", exports(app).await?),
    ])
}

async fn count(tx: &mut Tx, sql: Sql) -> Result<usize> {
    let count = tx.fetch_one(sql).await?.map_or(Ok(0), |row| row.int(0))?;
    usize::try_from(count).map_err(Problem::internal)
}

fn passwords(identity: &Identity) -> Finding {
    let about = password::About::default();
    let taken = GUESSABLE
        .iter()
        .filter(|text| password::check(identity.settings(), text, &about).is_ok())
        .count();
    let sound = format!("{} 个常见弱口令全部被拒绝", GUESSABLE.len());
    Finding::none(taken, &sound, "个常见弱口令被接受")
}

/// Sessions that may act although a factor is demanded and was not shown.
async fn factors(identity: &Identity, app: &App) -> Result<Finding> {
    let mut tx = app.db().snapshot().await?;
    let sql = "SELECT a.user_name, s.factor, s.seen_at FROM session s \
               JOIN account a ON a.id = s.account_id ORDER BY s.seen_at DESC LIMIT 1000";
    let rows = tx.fetch(Sql::new(sql)).await?;
    let (mut open, mut lacking) = (0, 0);
    for row in &rows {
        let Some(known) = rights::by_user_name(app, &mut tx, row.text(0)?).await? else { continue };
        open += 1;
        let demanded = known.needs_second_factor(identity.settings());
        let standing =
            session::standing(identity, &known, row.text(1)?, app.now().as_millisecond());
        let acts = matches!(standing, yj_kernel::Standing::Full);
        lacking += usize::from(demanded && row.text(1)?.is_empty() && acts);
    }
    let sound = format!("{open} 个在线会话，凡须第二因素的均已验证");
    Ok(Finding::none(lacking, &sound, "个会话未验证第二因素即可操作"))
}

async fn sessions(identity: &Identity, app: &App) -> Result<Finding> {
    let now = app.now().as_millisecond();
    let mut tx = app.db().snapshot().await?;
    let sql = Sql::new(
        "SELECT COUNT(*) FROM (SELECT s.account_id FROM session s JOIN account a ON a.id = s.account_id \
         WHERE a.administrator <> 'none' AND s.seen_at >= $1 GROUP BY s.account_id \
         HAVING COUNT(*) > $2) AS crowded",
    );
    let settings = identity.settings();
    let sql = sql.arg(now - settings.idle_ms(true)).arg(settings.sessions_max_admin);
    let crowded = count(&mut tx, sql).await?;
    Ok(Finding::none(crowded, "没有管理员超出会话数", "名管理员超出会话数"))
}

fn networks(identity: &Identity) -> Finding {
    let networks = identity.settings().admin_networks.join("、");
    if identity.settings().admin_networks.iter().any(|network| network.ends_with("/0")) {
        return Finding::failed(format!("管理员可从任何网络登录：{networks}"));
    }
    Finding::passed(networks)
}

/// Tries what must not be possible, and takes it back whatever happens.
async fn administrators(app: &App) -> Result<Finding> {
    let mut tx = app.db().snapshot().await?;
    let sql = "SELECT COUNT(*) FROM assignment g JOIN account a ON a.id = g.account_id \
               WHERE a.administrator <> 'none'";
    let mixed = count(&mut tx, Sql::new(sql)).await?;
    let one = Sql::new("SELECT id FROM account WHERE administrator <> 'none' LIMIT 1");
    let one = tx.fetch_one(one).await?;
    let role = tx.fetch_one(Sql::new("SELECT id FROM role LIMIT 1")).await?;
    drop(tx);
    if mixed > 0 {
        return Ok(Finding::failed(format!("{mixed} 条授权给了管理员")));
    }
    let (Some(one), Some(role)) = (one, role) else {
        return Ok(Finding::passed("尚无管理员或角色"));
    };
    let mut tx = app.db().begin().await?;
    let sql = Sql::new(
        "INSERT INTO assignment (id, version, created_at, created_by, updated_at, updated_by, label, \
         account_id, account_path, role_id, clearance) \
         VALUES ('self-check', 1, 0, 'self-check', 0, 'self-check', 2, $1, '/', $2, 1)",
    );
    let tried = tx.execute(sql.arg(one.text(0)?).arg(role.text(0)?)).await;
    drop(tx);
    match tried {
        Ok(_) => Ok(Finding::failed("数据库没有拒绝把业务权限授予管理员")),
        Err(Problem::Conflict(_)) => {
            Ok(Finding::passed("没有管理员持有业务权限；试授被数据库拒绝"))
        }
        Err(problem) => Err(problem),
    }
}

/// Sessions of accounts that should be asleep.
async fn dormant(identity: &Identity, app: &App) -> Result<Finding> {
    let since = app.now().as_millisecond() - identity.settings().dormant_ms();
    let mut tx = app.db().snapshot().await?;
    let sql = Sql::new(
        "SELECT (SELECT COUNT(*) FROM session s WHERE s.account_id = a.id) FROM account a \
         LEFT JOIN credential c ON c.account_id = a.id WHERE a.kind = 'person' \
         AND a.state = 'active' AND COALESCE(c.last_login_at, a.created_at) < $1",
    );
    let asleep = tx.fetch(sql.arg(since)).await?;
    let mut awake = 0;
    for row in &asleep {
        awake += usize::from(row.int(0)? > 0);
    }
    let sound = format!("{} 个休眠账号，均不能登录", asleep.len());
    Ok(Finding::none(awake, &sound, "个休眠账号仍有会话"))
}

/// Labels that differ from what the audit trail says was last set (GB/T 39786 8.4 c).
async fn labels(app: &App) -> Result<Finding> {
    let (mut marked, mut flawed) = (0, Vec::new());
    let mut tx = app.db().snapshot().await?;
    for entity in app.entities() {
        let mut sql = Sql::new("SELECT t.id, t.label, a.body FROM ");
        sql.push(entity.table).push(" t JOIN audit_log a ON a.record = t.id AND a.entity = ");
        sql.bind(entity.table).push(" AND a.action = 'labelled' WHERE a.id = (SELECT MAX(b.id) ");
        sql.push("FROM audit_log b WHERE b.entity = ").bind(entity.table);
        sql.push(" AND b.record = t.id AND b.action = 'labelled') LIMIT ").bind(SAMPLED);
        for row in tx.fetch(sql).await? {
            marked += 1;
            let body: serde_json::Value = row.json(2)?;
            if body["label"][1].as_i64() != Some(row.int(1)?) {
                flawed.push(format!("{} {}", entity.title, row.text(0)?));
            }
        }
        // Nobody has marked these: they must have the label every new record gets.
        let mut sql = Sql::new("SELECT t.id FROM ");
        sql.push(entity.table).push(" t WHERE t.label <> ").bind(DataClass::Internal.level());
        sql.push(" AND NOT EXISTS (SELECT 1 FROM audit_log a WHERE a.entity = ");
        sql.bind(entity.table).push(" AND a.record = t.id AND a.action = 'labelled') LIMIT ");
        sql.bind(SAMPLED);
        for row in tx.fetch(sql).await? {
            flawed.push(format!("{} {}", entity.title, row.text(0)?));
        }
    }
    Ok(match flawed.as_slice() {
        [] => Finding::passed(format!("{marked} 条标记过的记录与审计一致")),
        [first, ..] => {
            Finding::failed(format!("{} 条记录的密级与审计不符，如 {first}", flawed.len()))
        }
    })
}

async fn seals(app: &App) -> Result<Finding> {
    let (checked, flawed) = seal::examine(app).await?;
    Ok(match flawed.first() {
        None => Finding::passed(format!("{checked} 条账号、机构与角色的校验值全部相符")),
        Some(first) => Finding::failed(format!("{} 条校验值不符，如 {first}", flawed.len())),
    })
}

async fn trail(app: &App) -> Result<Finding> {
    let mut tx = app.db().snapshot().await?;
    let known = app.anchored_audit_heads(&mut tx).await?;
    let found = audit::examine(&mut tx, &known).await?;
    Ok(match found.flaws.first() {
        None => Finding::passed(format!("{} 条审计记录逐条复算无误", found.entries)),
        Some(flaw) => Finding::failed(format!("第 {}/{} 条{}", flaw.lane, flaw.seq, flaw.what)),
    })
}

async fn retention(identity: &Identity, app: &App) -> Result<Finding> {
    let mut tx = app.db().snapshot().await?;
    let (mut entries, mut since) = (0, String::from("—"));
    let sql = "SELECT COUNT(*), MIN(at) FROM audit_log";
    if let Some(row) = tx.fetch_one(Sql::new(sql)).await?
        && let Some(first) = row.int_opt(1)?
    {
        entries = row.int(0)?;
        since = OffsetTime::from_parts(first, 480).map_err(Problem::internal)?.in_words();
    }
    let days = identity.settings().audit_retention_days;
    Ok(Finding::passed(format!("{entries} 条，最早 {since}，至少保存 {days} 天，不删除")))
}

/// Entries the collector may lack before something is wrong.
const LAG_MAX: usize = 10_000;

async fn forwarded(identity: &Identity, app: &App) -> Result<Finding> {
    if identity.collector().is_none() {
        return Ok(Finding::passed("未配置转发；记录在本平台检索与导出"));
    }
    let mut tx = app.db().snapshot().await?;
    let sql = "SELECT CAST(COALESCE(SUM(h.seq - COALESCE(f.seq, 0)), 0) AS BIGINT) \
               FROM audit_head h LEFT JOIN audit_forward f ON f.lane = h.lane";
    let behind = count(&mut tx, Sql::new(sql)).await?;
    let text = format!("{behind} 条等待转发");
    Ok(if behind > LAG_MAX { Finding::failed(text) } else { Finding::passed(text) })
}

async fn clocks(identity: &Identity, app: &App) -> Result<Finding> {
    let drifts = identity.watch_clock(app).await?;
    let text: Vec<_> =
        drifts.iter().map(|one| format!("{} 相差 {} 毫秒", one.source, one.ahead_ms)).collect();
    let text = text.join("；");
    Ok(match drifts.iter().map(|one| one.ahead_ms.abs()).max() {
        None => Finding::passed("单机部署，未配置时间服务器"),
        Some(worst) if worst > clock::ALARM_MS => Finding::failed(text),
        Some(_) => Finding::passed(text),
    })
}

/// 个人信息 that lies in the database as it came.
async fn sealed(app: &App) -> Result<Finding> {
    let (mut looked, mut plain) = (0, Vec::new());
    let mut tx = app.db().snapshot().await?;
    for entity in app.entities() {
        for field in entity.fields.iter().filter(|field| field.class == DataClass::Personal) {
            let mut sql = Sql::new("SELECT id, ");
            sql.push(field.name).push(" FROM ").push(entity.table).push(" WHERE ");
            sql.push(field.name).push(" IS NOT NULL ORDER BY id DESC LIMIT ").bind(SAMPLED);
            for row in tx.fetch(sql).await? {
                looked += 1;
                if !vault::is_sealed(row.text(1)?) {
                    plain.push(format!("{} {}", entity.title, row.text(0)?));
                }
            }
        }
    }
    Ok(match plain.first() {
        None => Finding::passed(format!("抽查 {looked} 个个人信息字段，均为密文")),
        Some(first) => Finding::failed(format!("{} 个字段未加密，如 {first}", plain.len())),
    })
}

/// The known answer of SM3 (GB/T 32905 A.1), and the keys of the vault.
fn keys(app: &App) -> Result<Finding> {
    const ABC: &str = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
    if yj_crypto::sm3::hex(&yj_crypto::sm3::digest(b"abc")) != ABC {
        return Ok(Finding::failed("SM3 自检不符"));
    }
    let sealed = app.vault().seal_secret(app, "self-check", b"sample")?;
    let opened = app.vault().open_secret("self-check", &sealed)?;
    let moved = app.vault().open_secret("elsewhere", &sealed);
    Ok(if opened.as_slice() == b"sample" && moved.is_err() {
        Finding::passed(format!("SM3、SM4-GCM 自检通过；{}", app.vault().module()))
    } else {
        Finding::failed("SM4-GCM 自检不符")
    })
}

/// Files past their time whose bytes are still there.
async fn exports(app: &App) -> Result<Finding> {
    /// The sweep comes every few seconds.
    const GRACE_MS: i64 = 3_600_000;
    let over = app.now().as_millisecond() - GRACE_MS;
    let mut tx = app.db().snapshot().await?;
    let sql = "SELECT COUNT(*) FROM attachment WHERE expires_at < $1 AND removed_at IS NULL";
    let left = count(&mut tx, Sql::new(sql).arg(over)).await?;
    let sql = "SELECT COUNT(*) FROM job WHERE approval = 'given' AND \
               (decided_by IS NULL OR decided_by = created_by)";
    let alone = count(&mut tx, Sql::new(sql)).await?;
    Ok(Finding::none(left + alone, "到期文件均已删除，批准者均非申请人", "个导出不合规"))
}
