//! What comes to the register (G-6.2.2-1): by form, by file or from another system. A code that is
//! registered is never registered again, and never overwritten; a person without a code is known by
//! the number of their document.

use axum::{
    Json,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use yj_kernel::{Access, Body, Ctx, Entity, Object, Problem, Result, Route, Shape, Tx};
use yj_model::{former_code, narrow};

use crate::{
    lookup::{SubjectBrief, by_code},
    person::{self, Person},
    subject::TraceSubject,
};

/// How what comes stands to what is registered.
pub(crate) enum Arrival {
    /// Nobody has or had this code, or it is left to be issued to somebody not known.
    Unknown,
    /// The same name in the same county.
    Same(SubjectBrief),
    /// The same name in another county: a site, not a subject.
    Elsewhere(SubjectBrief),
    /// Another name.
    Renamed(SubjectBrief),
    /// A person without a code, known by their document.
    Person(SubjectBrief),
}

impl Arrival {
    /// How a record, checked or not, stands to the register.
    pub(crate) async fn of(ctx: &Ctx, tx: &mut Tx, body: &Object) -> Result<Self> {
        let code = former_code(text(body, "code"));
        let ours = if code.is_empty() { None } else { by_code(tx, &code).await? };
        let Some(ours) = ours else {
            let known = match Person::in_body(ctx, body)? {
                Some(person) => person.registered(tx).await?,
                None => None,
            };
            return Ok(known.map_or(Self::Unknown, Self::Person));
        };
        let same = same_name(&ours.name, text(body, "name"));
        let here = same_county(&ours.region, text(body, "region"));
        Ok(match (same, here) {
            (false, _) => Self::Renamed(ours),
            (true, false) => Self::Elsewhere(ours),
            (true, true) => Self::Same(ours),
        })
    }
}

pub(crate) fn text<'a>(body: &'a Object, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Brackets and letters may be wide or narrow, and spaces stand anywhere.
fn same_name(one: &str, other: &str) -> bool {
    let plain = |name: &str| -> String {
        name.chars().filter(|letter| !letter.is_whitespace()).map(narrow).collect()
    };
    plain(one) == plain(other)
}

/// Codes of towns and villages begin with that of their county.
fn same_county(one: &str, other: &str) -> bool {
    one.get(..6) == other.trim().get(..6)
}

/// What to do with a known code in another region.
pub(crate) fn register_a_site(code: &str) -> Problem {
    let detail = format!(
        "代码 {code} 已登记；同一主体在其他区域的场所请登记为该主体的“经营场所”，不另行登记主体"
    );
    Problem::invalid("code", detail)
}

/// Refuses a code that is registered, and says what to do instead.
pub(crate) async fn require_unknown(ctx: &Ctx, tx: &mut Tx, body: &Object) -> Result<()> {
    let ours = match Arrival::of(ctx, tx, body).await? {
        Arrival::Unknown => return Ok(()),
        Arrival::Person(ours) => return Err(person::already(ctx, tx, &ours).await),
        Arrival::Elsewhere(ours) => return Err(register_a_site(&ours.code)),
        Arrival::Same(ours) | Arrival::Renamed(ours) => ours,
    };
    if !same_county(&ours.region, text(body, "region")) {
        return Err(register_a_site(&ours.code));
    }
    let detail = format!("追溯主体已存在：代码 {} 已登记；如有变化请对该主体申请变更", ours.code);
    Err(Problem::duplicate(detail))
}

/// Registration by form, in place of the register's own.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            (Method::POST, "/api/v1/trace_subject"),
            Access::permission("trace_subject:write"),
            "申请登记追溯主体",
            register,
        )
        .takes(Shape::Record(Entity::of::<TraceSubject>())),
    ]
}

async fn register(ctx: Ctx, Body(body): Body<Object>) -> Result<(StatusCode, Json<Value>)> {
    let mut tx = ctx.begin().await?;
    require_unknown(&ctx, &mut tx, &body).await?;
    let request = person::file(&ctx, &mut tx, body).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "change_request": request }))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_is_no_other_name_and_a_village_no_other_county() {
        assert!(same_name("示例（西安）有限公司", " 示例(西安) 有限公司"));
        assert!(!same_name("示例一厂", "示例二厂"));
        assert!(same_county("610116", "610116001001") && !same_county("610116", "610403"));
        assert!(!same_county("610116", "61"));
    }
}
