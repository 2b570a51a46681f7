//! 接入认证 (§5.4.2 b, S-04): from a name and a password to a session, with the same answer and the
//! same work whatever was wrong.

use serde_json::{Value, json};
use yj_kernel::{App, Ctx, Origin, Principal, Problem, Result, Sql, Standing, Tx, audit};

use crate::{
    Identity, account, alarm,
    attempts::{self, Guess},
    password::{self, About},
    place,
    rights::{self, Known},
    session::{self, Opened},
};

/// The same words whatever was wrong, so that nobody learns which accounts exist.
pub(crate) fn refused() -> Problem {
    Problem::LoginRefused(String::from("用户名或口令不正确；连续错误多次将被锁定"))
}

async fn verifier_of(tx: &mut Tx, account: &str) -> Result<Option<String>> {
    let sql = Sql::new("SELECT verifier FROM credential WHERE account_id = $1");
    let row = tx.fetch_one(sql.arg(account)).await?;
    row.map(|row| row.text(0).map(String::from)).transpose()
}

/// Checks a name and a password. A wrong one is counted and noted; the answer tells only whether
/// they fit, or that the name is locked.
pub(crate) async fn check(
    identity: &Identity,
    app: &App,
    (user, given, origin): (&str, &str, &Origin),
) -> Result<Known> {
    identity.throttle().take(origin.address, app.now().as_millisecond())?;
    let mut tx = app.db().snapshot().await?;
    if let Err(problem) = attempts::require_open(app, &mut tx, Guess::Password(user)).await {
        drop(tx);
        let reason = problem.to_string();
        crate::note_stranger(app, origin, ("login_refused", "/api/v1/session", &reason)).await?;
        return Err(problem);
    }
    let known = rights::by_user_name(app, &mut tx, user).await?;
    let known = known.filter(|known| known.principal.kind == yj_kernel::ActorKind::Person);
    let verifier = match &known {
        Some(known) => verifier_of(&mut tx, &known.principal.account).await?,
        None => None,
    };
    drop(tx);
    let right = identity.mill().matches(app, given, verifier.as_deref()).await?;
    match known {
        Some(known) if right => Ok(known),
        known => {
            fail(identity, app, (user, known.as_ref(), origin)).await?;
            Err(refused())
        }
    }
}

/// Counts and notes a wrong attempt.
pub(crate) async fn fail(
    identity: &Identity,
    app: &App,
    (user, known, origin): (&str, Option<&Known>, &Origin),
) -> Result<()> {
    let ctx = app.on_own_behalf("login");
    let ctx = ctx.signing_as(known.map(|known| &known.principal), origin.clone());
    let mut tx = ctx.begin().await?;
    let locked = attempts::count(&ctx, &mut tx, identity.settings(), Guess::Password(user)).await?;
    let record = known.map_or("", |known| &known.principal.account);
    let entry =
        audit::Entry { action: "login_refused", entity: "account", record, body: json!({}) };
    audit::write_as(&ctx, &mut tx, ("", audit::Ending::Refused), entry);
    if locked {
        let entry =
            audit::Entry { action: "name_locked", entity: "account", record, body: json!({}) };
        audit::write(&ctx, &mut tx, entry);
    }
    tx.commit().await?;
    if locked {
        let about = match known {
            Some(known) => alarm::About::principal(&known.principal),
            None => alarm::About::platform("未知用户名"),
        };
        alarm::raise(app, alarm::Kind::BruteForce, about, "口令连续错误，已锁定登录").await;
    }
    Ok(())
}

/// Opens a session for whoever shows the right name and password.
pub(crate) async fn enter(
    identity: &Identity,
    app: &App,
    (user, given, origin): (&str, &str, &Origin),
) -> Result<(Opened, Value)> {
    let user = user.trim();
    let known = check(identity, app, (user, given, origin)).await?;
    let ctx = app.on_own_behalf("login").signing_as(Some(&known.principal), origin.clone());
    if let Err(reason) = usable(identity, &known, app, origin) {
        let mut tx = ctx.begin().await?;
        let record = known.principal.account.as_str();
        let body = json!({ "reason": reason });
        let entry = audit::Entry { action: "login_refused", entity: "account", record, body };
        audit::write_as(&ctx, &mut tx, ("", audit::Ending::Refused), entry);
        tx.commit().await?;
        return Err(Problem::Forbidden(reason));
    }
    let mut tx = ctx.begin().await?;
    if session::standing(identity, &known, "", ctx.now_ms()) == Standing::Full {
        attempts::forget(app, &mut tx, user)?;
    }
    let opened = admit(identity, (&ctx, tx), (&known, origin, ""), json!({})).await?;
    let standing = session::standing(identity, &known, "", ctx.now_ms());
    let mut principal = known.principal.clone();
    principal.csrf = Some(opened.csrf.clone());
    principal.standing = standing;
    Ok((opened, describe(app, &principal)))
}

/// Lets somebody in who has shown enough: a session, what is remembered of the log-in, its entry
/// with the particulars given.
pub(crate) async fn admit(
    identity: &Identity,
    (ctx, mut tx): (&Ctx, Tx),
    (known, origin, factor): (&Known, &Origin, &str),
    mut particulars: Value,
) -> Result<Opened> {
    let opened = session::open(identity, ctx, &mut tx, (known, origin, factor)).await?;
    let record = known.principal.account.as_str();
    let sql = Sql::new("UPDATE credential SET last_login_at = $1 WHERE account_id = $2");
    tx.later([sql.arg(ctx.now_ms()).arg(record)]);
    let new_place = place::note(ctx, &mut tx, (known, origin.address)).await?;
    particulars["session"] = json!(opened.id);
    let entry = audit::Entry { action: "logged_in", entity: "account", record, body: particulars };
    audit::write(ctx, &mut tx, entry);
    tx.commit().await?;
    if let Some(network) = new_place {
        let detail = format!("首次从网络 {network} 登录，请核实是否本人");
        let about = alarm::About::principal(&known.principal);
        alarm::raise(ctx.app(), alarm::Kind::NewPlace, about, &detail).await;
    }
    Ok(opened)
}

fn usable(identity: &Identity, known: &Known, app: &App, origin: &Origin) -> Result<(), String> {
    known.usable(identity.settings(), app.now()).map_err(String::from)?;
    if known.principal.administrator.is_some() && !identity.admits_administrators(origin) {
        return Err(String::from("管理员只能从规定的网络地址登录（security.admin_networks）"));
    }
    Ok(())
}

/// What signed-in users are told about themselves; the menu and every button follow from it.
pub(crate) fn describe(app: &App, principal: &Principal) -> Value {
    let region = principal.rights.permissions().find_map(|name| {
        principal.rights.limits(name).iter().find_map(|limit| limit.region.clone())
    });
    let next = match principal.standing {
        Standing::Full => None,
        Standing::SecondFactor => Some("second_factor"),
        Standing::NoSecondFactor => Some("bind_factor"),
        Standing::PasswordExpired => Some("change_password"),
    };
    let permissions: Vec<_> = match principal.standing {
        Standing::Full => principal.rights.permissions().filter(|name| app.offers(name)).collect(),
        _ => Vec::new(),
    };
    json!({
        "user": principal.user, "name": principal.name, "organization": principal.organization,
        "account": principal.account, "administrator": principal.administrator,
        "subject": principal.subject.as_ref().map(|id| json!({ "id": id })), "region": region,
        "permissions": permissions, "csrf": principal.csrf, "next": next,
    })
}

/// Checks a new password against policy and history and returns what is to be stored. Slow, and
/// so done before a transaction begins.
pub(crate) async fn stretch_password(
    identity: &Identity,
    app: &App,
    (account, new): (&str, &str),
) -> Result<String> {
    let mut tx = app.db().snapshot().await?;
    let sql = Sql::new(
        "SELECT a.user_name, a.name, o.name FROM account a \
         JOIN organization o ON o.id = a.organization_id WHERE a.id = $1",
    );
    let row = tx.fetch_one(sql.arg(account)).await?.ok_or_else(crate::missing)?;
    let about =
        About { user: row.text(0)?, name: row.text(1)?, organization: row.text(2)?, phone: "" };
    password::check(identity.settings(), new, &about)?;
    let sql = Sql::new(
        "SELECT verifier FROM password_history WHERE account_id = $1 ORDER BY set_at DESC LIMIT $2",
    );
    let old = tx.fetch(sql.arg(account).arg(identity.settings().password_history)).await?;
    drop(tx);
    for row in old {
        if identity.mill().matches(app, new, Some(row.text(0)?)).await? {
            let count = identity.settings().password_history;
            return Err(Problem::invalid("password", format!("不能使用最近 {count} 次用过的口令")));
        }
    }
    identity.mill().verifier(app, new).await
}

/// Stores what [`stretch_password`] made; every session of the account ends.
pub(crate) async fn set_password(
    ctx: &Ctx,
    tx: &mut Tx,
    (account, verifier): (&str, String),
) -> Result<()> {
    let sql = Sql::new(
        "INSERT INTO credential (account_id, verifier, set_at, must_change) VALUES ($1, $2, $3, 0) \
         ON CONFLICT (account_id) DO UPDATE SET verifier = excluded.verifier, \
         set_at = excluded.set_at, must_change = 0",
    );
    tx.execute(sql.arg(account).arg(verifier.as_str()).arg(ctx.now_ms())).await?;
    let sql = Sql::new(
        "INSERT INTO password_history (account_id, set_at, verifier) VALUES ($1, $2, $3) \
         ON CONFLICT (account_id, set_at) DO UPDATE SET verifier = excluded.verifier",
    );
    tx.execute(sql.arg(account).arg(ctx.now_ms()).arg(verifier)).await?;
    account::end_sessions(tx, account);
    rights::changed(tx);
    let entry = audit::Entry {
        action: "password_changed",
        entity: "account",
        record: account,
        body: json!({}),
    };
    audit::write(ctx, tx, entry);
    Ok(())
}
