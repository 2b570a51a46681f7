//! 权限完整性 (GB/T 39786 8.4 b, S-16): every account, role, organisation and delegation is sealed with
//! HMAC-SM3 after each change that was allowed; what somebody wrote behind the platform's back does
//! not fit its seal and is worth nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yj_crypto::to_hex;
use yj_kernel::{App, Ctx, Purpose, Result, Row, Sql, Tx, audit};

use crate::rights::account_query;

/// Action of the entries that say which seal came last.
const SEALED: &str = "sealed";

fn mac(app: &App, content: &Value) -> Result<String> {
    Ok(to_hex(&app.vault().mac(Purpose::Access, &[content.to_string().as_bytes()])?))
}

/// The seal that an account with its assignments must have; rows as [`account_query`] finds them.
pub(crate) fn of_account(app: &App, first: &Row, rows: &[Row]) -> Result<String> {
    mac(app, &account_content(first, rows)?)
}

/// The seal that an organisation must have; identifier, path, kind and 追溯主体 from a column on.
pub(crate) fn of_organization(app: &App, row: &Row, from: usize) -> Result<String> {
    mac(app, &organization_content(row, from)?)
}

/// The seal that a role must have.
pub(crate) fn of_role(
    app: &App,
    (id, parent, permissions): (&str, Option<&str>, &str),
) -> Result<String> {
    mac(app, &json!(["role", id, parent, permissions]))
}

/// Keeps a seal, and writes it into the trail: a row put back as it once was fits a seal put back
/// with it, but not the newest one in the trail, which is anchored.
async fn keep_seal(ctx: &Ctx, tx: &mut Tx, (subject, mac): (&str, String)) -> Result<()> {
    let sql = Sql::new(
        "INSERT INTO access_seal (subject, mac) VALUES ($1, $2) ON CONFLICT (subject) DO UPDATE \
         SET mac = excluded.mac, number = access_seal.number + 1 \
         WHERE access_seal.mac <> excluded.mac",
    );
    if tx.execute(sql.arg(subject).arg(mac.as_str())).await? == 0 {
        return Ok(());
    }
    let sql = Sql::new("SELECT number FROM access_seal WHERE subject = $1");
    let number = tx.fetch_one(sql.arg(subject)).await?.map_or(Ok(1), |row| row.int(0))?;
    let body = json!({ "mac": mac, "number": number });
    let entry = audit::Entry { action: SEALED, entity: "access_seal", record: subject, body };
    audit::write(ctx, tx, entry);
    Ok(())
}

/// Seals what an account has, after a change that was allowed.
pub(crate) async fn account(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<()> {
    tx.lock("account", id).await?;
    let rows = tx.fetch(account_query(id)).await?;
    let Some(first) = rows.first() else { return Ok(()) };
    let mac = of_account(ctx.app(), first, &rows)?;
    keep_seal(ctx, tx, (id, mac)).await
}

/// Seals a role, after a change that was allowed.
pub(crate) async fn role(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<()> {
    tx.lock("role", id).await?;
    let sql = Sql::new("SELECT id, parent_id, permissions FROM role WHERE id = $1");
    let Some(row) = tx.fetch_one(sql.arg(id)).await? else { return Ok(()) };
    let mac = of_role(ctx.app(), (row.text(0)?, row.text_opt(1)?, row.text(2)?))?;
    keep_seal(ctx, tx, (id, mac)).await
}

const DELEGATIONS: &str = "SELECT id, role_id, region, organization_id, category, stage, clearance \
                           FROM delegation WHERE account_id = $1 ORDER BY id";

async fn delegations_content(tx: &mut Tx, account: &str) -> Result<Value> {
    let rows = tx.fetch(Sql::new(DELEGATIONS).arg(account)).await?;
    let mut content = vec![json!("delegations"), json!(account)];
    for row in &rows {
        let text = |index| row.text_opt(index);
        let texts = [text(0)?, text(1)?, text(2)?, text(3)?, text(4)?, text(5)?];
        content.push(json!([texts, row.int(6)?]));
    }
    Ok(Value::Array(content))
}

/// Seals what a security administrator was handed to hand on, after a change that was allowed.
pub(crate) async fn delegations(ctx: &Ctx, tx: &mut Tx, account: &str) -> Result<()> {
    tx.lock("account", account).await?;
    let mac = mac(ctx.app(), &delegations_content(tx, account).await?)?;
    keep_seal(ctx, tx, (&format!("{account}/delegation"), mac)).await
}

/// Whether it is as it was sealed; nothing needs no seal.
pub(crate) async fn delegations_are_sound(app: &App, tx: &mut Tx, account: &str) -> Result<bool> {
    let content = delegations_content(tx, account).await?;
    let sql = Sql::new("SELECT mac FROM access_seal WHERE subject = $1");
    let sealed = tx.fetch_one(sql.arg(format!("{account}/delegation"))).await?;
    match sealed {
        None => Ok(content.as_array().is_some_and(|parts| parts.len() == 2)),
        Some(row) => Ok(row.text(0)? == mac(app, &content)?),
    }
}

/// Seals what an organisation's place and its 追溯主体 are: they decide what its people see.
pub(crate) async fn organization(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<()> {
    tx.lock("organization", id).await?;
    let sql = Sql::new("SELECT id, path, kind, subject_id FROM organization WHERE id = $1");
    let Some(row) = tx.fetch_one(sql.arg(id)).await? else { return Ok(()) };
    let mac = of_organization(ctx.app(), &row, 0)?;
    keep_seal(ctx, tx, (id, mac)).await
}

/// What that seal covers: identifier, path, kind and 追溯主体, read in this order from a column on.
fn organization_content(row: &Row, from: usize) -> Result<Value> {
    let text = |index| row.text_opt(from + index);
    Ok(json!(["organization", text(0)?, text(1)?, text(2)?, text(3)?]))
}

/// Seals every organisation and account of a part of the tree that has moved.
pub(crate) async fn below(ctx: &Ctx, tx: &mut Tx, path: &str) -> Result<()> {
    let sql = Sql::new("SELECT id FROM organization WHERE path >= $1 AND path < $2");
    for row in tx.fetch(sql.arg(path).arg(format!("{path}~"))).await? {
        organization(ctx, tx, row.text(0)?).await?;
    }
    let sql =
        Sql::new("SELECT id FROM account WHERE organization_path >= $1 AND organization_path < $2");
    for row in tx.fetch(sql.arg(path).arg(format!("{path}~"))).await? {
        account(ctx, tx, row.text(0)?).await?;
    }
    Ok(())
}

/// What the seal of an account covers: who it is, and everything it was given.
fn account_content(first: &Row, rows: &[Row]) -> Result<Value> {
    let mut assignments = Vec::new();
    for row in rows {
        if let Some(id) = row.text_opt(18)? {
            let text = |index| row.text_opt(index);
            assignments.push(json!([
                id,
                text(19)?,
                text(20)?,
                text(21)?,
                text(22)?,
                text(23)?,
                row.int(24)?,
                text(25)?,
                text(26)?,
            ]));
        }
    }
    Ok(json!([
        "account",
        first.text(0)?,
        first.text(3)?,
        first.text(4)?,
        first.text(5)?,
        first.text(6)?,
        first.int(7)?,
        first.text_opt(8)?,
        first.text(9)?,
        assignments,
    ]))
}

/// Compares every account, organisation and role with its seal, and every seal with the newest one
/// in the trail: how many there are, and the names of those that differ.
pub(crate) async fn examine(app: &App) -> Result<(usize, Vec<String>)> {
    let (mut checked, mut flawed) = (0, Vec::new());
    let mut tx = app.db().snapshot().await?;
    let accounts = tx.fetch(Sql::new("SELECT id, user_name FROM account ORDER BY id")).await?;
    for account in accounts {
        let rows = tx.fetch(account_query(account.text(0)?)).await?;
        let Some(first) = rows.first() else { continue };
        checked += 1;
        let mac = of_account(app, first, &rows)?;
        if first.text_opt(17)? != Some(mac.as_str()) {
            flawed.push(format!("用户 {}", account.text(1)?));
        }
    }
    let sql = "SELECT o.id, o.path, o.kind, o.subject_id, s.mac, o.code FROM organization o \
               LEFT JOIN access_seal s ON s.subject = o.id ORDER BY o.id";
    for row in tx.fetch(Sql::new(sql)).await? {
        checked += 1;
        if row.text_opt(4)? != Some(of_organization(app, &row, 0)?.as_str()) {
            flawed.push(format!("机构 {}", row.text(5)?));
        }
    }
    let sql = "SELECT r.id, r.parent_id, r.permissions, s.mac, r.code FROM role r \
               LEFT JOIN access_seal s ON s.subject = r.id ORDER BY r.id";
    for row in tx.fetch(Sql::new(sql)).await? {
        checked += 1;
        if row.text_opt(3)?
            != Some(of_role(app, (row.text(0)?, row.text_opt(1)?, row.text(2)?))?.as_str())
        {
            flawed.push(format!("角色 {}", row.text(4)?));
        }
    }
    flawed.extend(put_back(&mut tx).await?);
    Ok((checked, flawed))
}

/// Seals that are not the newest the trail knows.
async fn put_back(tx: &mut Tx) -> Result<Vec<String>> {
    let sql = "SELECT record, body FROM audit_log WHERE entity = 'access_seal' AND action = $1 \
               AND source = ''";
    let mut newest = BTreeMap::new();
    for row in tx.fetch(Sql::new(sql).arg(SEALED)).await? {
        let body: Value = row.json(1)?;
        let (Some(number), Some(mac)) = (body["number"].as_i64(), body["mac"].as_str()) else {
            continue;
        };
        let entry = newest.entry(String::from(row.text(0)?)).or_insert((0, String::new()));
        if number > entry.0 {
            *entry = (number, String::from(mac));
        }
    }
    let mut found = Vec::new();
    for row in tx.fetch(Sql::new("SELECT subject, mac FROM access_seal ORDER BY subject")).await? {
        let subject = row.text(0)?;
        if newest.get(subject).is_some_and(|(_, mac)| mac.as_str() != row.text(1).unwrap_or("")) {
            found.push(format!("{subject}（不是审计中最新的封签，疑被换回旧值）"));
        }
    }
    Ok(found)
}
