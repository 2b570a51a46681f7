//! 自助注册 (G-6.2.2-1): a subject asks to be registered before anybody here knows it. Whoever asks
//! learns a receipt and nothing about what is registered already.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{Method, StatusCode},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yj_kernel::{
    App, Body, Ctx, Entity, Kind, Object, Origin, Param, Problem, Resource as _, Result, Route,
    Shape, Sql, Tx, audit, outbox, review, time_text, vault,
};
use yj_model::{Phone, RegionCode, SubjectCode, former_code};

use crate::{
    arrival::text,
    code::has_credit_code,
    lookup::{self, SubjectBrief},
    person::Person,
    subject::TraceSubject,
};

pub(crate) const TABLE: &str = "subject_application";
pub(crate) const TITLE: &str = "注册申请";
pub(crate) const SEALED: &str = "subject_application.body";
const SECRET: &str = "subject_application.secret";

/// Largest application, in bytes.
const BODY_MAX: usize = 16 << 10;
/// Applications of one address, and of one telephone, within an hour.
const ADDRESS_MAX: i64 = 10;
const PHONE_MAX: i64 = 3;
const HOUR_MS: i64 = 3_600_000;

/// What an applicant sends. What becomes personal data here is stored sealed only.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// 追溯主体的数据元，与登记相同
    pub(crate) subject: Object,
    /// 管理人姓名
    #[schemars(length(min = 1, max = 50))]
    pub(crate) applicant_name: String,
    /// 管理人手机
    pub(crate) applicant_phone: String,
    /// 希望使用的用户名
    #[schemars(length(min = 3, max = 32))]
    pub(crate) user_name: String,
}

pub(crate) fn routes() -> Vec<Route> {
    let why = "申请人还没有账号；只收下申请，不答复代码或用户名是否已存在";
    let shown = "申请人还没有账号；须出示提交时给出的查询码，只答复办理状态";
    vec![
        Route::public((Method::POST, "/api/v1/applications"), why, "企业自助注册申请", file)
            .takes(Shape::of::<Request>())
            .body_max(BODY_MAX),
        Route::public(
            (Method::GET, "/api/v1/applications/{receipt}"),
            shown,
            "查询注册申请的办理状态",
            state,
        )
        .query(&[Param { name: "code", label: "查询码", required: true }]),
    ]
}

/// The platform's own hand where it writes what an applicant sent.
pub(crate) fn hand(app: &App) -> Ctx {
    app.on_own_behalf("applicant")
}

/// A log-in name as accounts have it.
fn user_name(text: &str) -> Result<String> {
    let found = yj_model::user_name(text.trim());
    found.map_err(|error| Problem::invalid("user_name", error.to_string()))
}

fn applicant_name(text: &str) -> Result<String> {
    let text = text.trim();
    if (1..=50).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(String::from(text))
    } else {
        Err(Problem::invalid("applicant_name", "管理人姓名：应为 1 至 50 个字"))
    }
}

fn applicant_phone(text: &str) -> Result<String> {
    let phone = text.parse::<Phone>();
    let wrong =
        |error: &dyn std::fmt::Display| Problem::invalid("applicant_phone", error.to_string());
    phone.map(|phone| String::from(phone.reveal())).map_err(|error| wrong(&error))
}

/// Refuses what only the platform or another system says of a subject.
fn require_own(subject: &Object) -> Result<()> {
    for field in TraceSubject::FIELDS {
        let foreign = field.computed || matches!(field.kind, Kind::Id(_));
        if (foreign || field.name == "source_system")
            && subject.get(field.name).is_some_and(|value| !value.is_null())
        {
            let detail = format!("{}不由申请人填写，请留空", field.label);
            return Err(Problem::invalid(field.name, detail).within("subject."));
        }
    }
    Ok(())
}

/// Checks a subject as its registration will. What is only wrong because the code is registered is
/// not the applicant's to know.
async fn require_sound(app: &App, subject: &Object) -> Result<()> {
    let given = former_code(text(subject, "code"));
    let unfit = || {
        let code = given.parse::<SubjectCode>().ok();
        has_credit_code(text(subject, "kind").trim())
            && code.is_none_or(|code| !code.is_credit_code())
    };
    let ctx = hand(app);
    // Never committed: what the check files or counts is not there afterwards.
    let mut tx = ctx.begin().await?;
    let entity = Entity::of::<TraceSubject>();
    let found = review::propose(&ctx, &mut tx, entity, None, subject.clone()).await;
    drop(tx);
    let Err(problem) = found else { return Ok(()) };
    let of_register = match &problem {
        Problem::Conflict(_) => true,
        Problem::Invalid(errors) => errors.iter().all(|error| error.field == "code"),
        _ => false,
    };
    if of_register && !unfit() && known(app, &given).await? {
        return Ok(());
    }
    let of_person = match &problem {
        Problem::Invalid(errors) => errors.iter().all(|error| error.field == "legal_rep_id"),
        _ => false,
    };
    let mut tx = app.db().snapshot().await?;
    if of_person && registered_person(&ctx, &mut tx, subject).await?.is_some() {
        return Ok(());
    }
    Err(problem.within("subject."))
}

/// Whom an application means by the document of a person.
async fn registered_person(
    ctx: &Ctx,
    tx: &mut Tx,
    subject: &Object,
) -> Result<Option<SubjectBrief>> {
    match Person::in_body(ctx, subject)? {
        Some(person) => person.registered(tx).await,
        None => Ok(None),
    }
}

/// Whether a code is or was somebody's.
async fn known(app: &App, code: &str) -> Result<bool> {
    let mut tx = app.db().snapshot().await?;
    let sql = Sql::new(
        "SELECT 1 FROM trace_subject WHERE code = $1 \
         UNION ALL SELECT 1 FROM subject_alias WHERE code = $1",
    );
    Ok(tx.fetch_one(sql.arg(code)).await?.is_some())
}

/// The registered subject that an application means, by its code or by the document of a person.
pub(crate) async fn existing(
    ctx: &Ctx,
    tx: &mut Tx,
    subject: &Object,
) -> Result<Option<SubjectBrief>> {
    let by_code = match former_code(text(subject, "code")) {
        code if code.is_empty() => None,
        code => lookup::by_code(tx, &code).await?,
    };
    match by_code {
        Some(ours) => Ok(Some(ours)),
        None => registered_person(ctx, tx, subject).await,
    }
}

async fn require_few(tx: &mut Tx, (address, phone): (Option<&str>, &str), now: i64) -> Result<()> {
    let sql = Sql::new(
        "SELECT (SELECT COUNT(*) FROM subject_application WHERE address_digest = $1 AND at > $3), \
         (SELECT COUNT(*) FROM subject_application WHERE phone_digest = $2 AND at > $3)",
    );
    let row = tx.fetch_one(sql.arg(address).arg(phone).arg(now - HOUR_MS)).await?;
    let row = row.ok_or_else(|| Problem::internal("a count without a row"))?;
    if row.int(0)? >= ADDRESS_MAX || row.int(1)? >= PHONE_MAX {
        let detail = "该地址或手机号的注册申请过于频繁，请一小时后再试";
        return Err(Problem::TooMany(String::from(detail)));
    }
    Ok(())
}

/// A code list as the register stores it; what is no list is refused.
fn list(subject: &Object, name: &'static str) -> Result<String> {
    match subject.get(name) {
        None | Some(Value::Null) => Ok(String::from("[]")),
        Some(Value::Array(codes)) => Ok(Value::from(codes.clone()).to_string()),
        Some(_) => Err(Problem::invalid(name, "应为代码的数组").within("subject.")),
    }
}

async fn file(
    app: App,
    origin: Origin,
    Body(request): Body<Request>,
) -> Result<(StatusCode, Json<Value>)> {
    let Request { subject, .. } = &request;
    let (roles, product_kinds) = (list(subject, "roles")?, list(subject, "product_kinds")?);
    require_own(subject)?;
    let (applicant_name, applicant_phone) =
        (applicant_name(&request.applicant_name)?, applicant_phone(&request.applicant_phone)?);
    let user_name = user_name(&request.user_name)?;
    let vault = app.vault();
    let phone = vault.blind("subject_application.phone", &applicant_phone)?;
    let address = origin.address.map(|address| address.to_string());
    let address = match &address {
        Some(address) => Some(vault.blind("subject_application.address", address)?),
        None => None,
    };
    let mut tx = app.db().snapshot().await?;
    require_few(&mut tx, (address.as_deref(), &phone), app.now().as_millisecond()).await?;
    drop(tx);
    require_sound(&app, subject).await?;
    let region: RegionCode = text(subject, "region")
        .trim()
        .parse()
        .map_err(|_| Problem::invalid("region", "应为登记在册的行政区划代码").within("subject."))?;
    let receipt = format!("SQ{:012}", app.random() % 1_000_000_000_000);
    let secret = format!("{:032x}", app.random());
    let ctx = hand(&app).signing_as(None, origin);
    let mut tx = ctx.begin().await?;
    require_few(&mut tx, (address.as_deref(), &phone), ctx.now_ms()).await?;
    let id = ctx.new_id::<()>().to_string();
    let key = vault::fresh_data_key(&ctx, &mut tx, &id)?;
    let code = Some(former_code(text(subject, "code"))).filter(|code| !code.is_empty());
    let name = String::from(text(subject, "name").trim());
    let kind = String::from(text(subject, "kind").trim());
    let kept = Request { subject: request.subject, applicant_name, applicant_phone, user_name };
    let kept = serde_json::to_string(&kept).map_err(Problem::internal)?;
    let sealed = key.seal(&ctx, (SEALED, &id), &kept)?;
    let sql = Sql::new(
        "INSERT INTO subject_application (id, receipt, secret_digest, at, code, name, kind, region, \
         roles, product_kinds, body, address_digest, phone_digest, state, linked) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'waiting', 0)",
    );
    let sql = sql.arg(id.as_str()).arg(receipt.as_str()).arg(vault.blind(SECRET, &secret)?);
    let sql = sql.arg(ctx.now_ms()).arg(code).arg(name.as_str()).arg(kind).arg(region.as_str());
    let sql = sql.arg(roles).arg(product_kinds).arg(sealed).arg(address).arg(phone);
    tx.execute(sql).await?;
    let note = json!({ "receipt": receipt, "name": name, "region": region });
    outbox::announce(&ctx, &mut tx, (TABLE, "filed"), &id, &note);
    let entry =
        audit::Entry { action: "application_filed", entity: TABLE, record: &id, body: note };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "receipt": receipt, "code": secret }))))
}

async fn state(
    app: App,
    Path(receipt): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>> {
    let query = query.unwrap_or_default();
    let given = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code");
    let secret = given.map(|(_, code)| code.into_owned()).unwrap_or_default();
    let digest = app.vault().blind(SECRET, secret.trim())?;
    let mut tx = app.db().snapshot().await?;
    let sql = Sql::new(
        "SELECT state, reason, at, decided_at FROM subject_application \
         WHERE receipt = $1 AND secret_digest = $2",
    );
    let row = tx.fetch_one(sql.arg(receipt.trim()).arg(digest)).await?;
    let row = row.ok_or(Problem::NotFound(TITLE))?;
    let state = row.text(0)?;
    // What the reviewer wrote on approval is for the file, not for the applicant.
    let reason = if matches!(state, "returned" | "rejected") { row.text_opt(1)? } else { None };
    Ok(Json(json!({
        "receipt": receipt.trim(), "state": state, "reason": reason,
        "at": time_text(row.int(2)?)?, "decided_at": row.int_opt(3)?.map(time_text).transpose()?,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_applies_is_named_and_reachable() {
        assert!(user_name(" shili-01 ").is_ok() && user_name("示例").is_err());
        assert!(applicant_name("张示例").is_ok() && applicant_name(" ").is_err());
        assert!(applicant_phone("13800138000").is_ok() && applicant_phone("12").is_err());
    }

    #[test]
    fn what_the_platform_says_is_not_the_applicants_to_say() {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        assert!(require_own(&object(json!({ "name": "示例", "status": null }))).is_ok());
        assert!(require_own(&object(json!({ "status": "10" }))).is_err());
        assert!(require_own(&object(json!({ "source_system": "x" }))).is_err());
        assert!(list(&object(json!({ "roles": "10" })), "roles").is_err());
    }
}
