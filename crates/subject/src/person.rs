//! 自然人与农户 (handbook §2.3.4): who has no code of their own is known by the number of their document,
//! compared by its blind index. One person is one subject.

use serde_json::Value;
use yj_kernel::{
    Ctx, Entity, Object, Problem, Resource as _, Result, Sql, Tx, review, vault::ERASED,
};
use yj_model::former_code;

use crate::{
    arrival::text,
    lookup::{self, SubjectBrief},
    standing::Status,
    subject::TraceSubject,
};

/// 主体类型 of those who are their own 法定代表人 and have no 统一社会信用代码: 家庭农场或农户, 自然人.
const KINDS: [&str; 2] = ["07", "08"];

/// The field the number stands in.
const NUMBER: &str = "legal_rep_id";

/// The document of a person, as it is compared.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    blind: String,
}

impl Person {
    /// The person that a subject of a kind is, with the number of their document; `None` for who is
    /// no person, or has not said their number.
    pub(crate) fn of(ctx: &Ctx, (kind, number): (&str, Option<&str>)) -> Result<Option<Self>> {
        let number = former_code(number.unwrap_or_default());
        if !KINDS.contains(&kind) || number.is_empty() || number == ERASED {
            return Ok(None);
        }
        let place = format!("{}.{NUMBER}", TraceSubject::TABLE);
        Ok(Some(Self { blind: ctx.app().vault().blind(&place, &number)? }))
    }

    /// The same of a body, checked or not.
    pub(crate) fn in_body(ctx: &Ctx, body: &Object) -> Result<Option<Self>> {
        Self::of(ctx, (text(body, "kind").trim(), Some(text(body, NUMBER))))
    }

    /// The subject in force, or suspended, that this person is.
    pub(crate) async fn registered(&self, tx: &mut Tx) -> Result<Option<SubjectBrief>> {
        let mut sql = Sql::new("SELECT id FROM trace_subject WHERE legal_rep_id_blind = ");
        sql.bind(self.blind.as_str()).push(" AND kind ").bind_texts(KINDS);
        sql.push(" AND status ").bind_texts([Status::Valid.code(), Status::Suspended.code()]);
        sql.push(" ORDER BY id LIMIT 1");
        let Some(row) = tx.fetch_one(sql).await? else { return Ok(None) };
        let id = row.text(0)?;
        Ok(lookup::by_ids(tx, &[id]).await?.remove(id))
    }

    /// Those who register the same person at the same time wait for each other.
    pub(crate) async fn hold(&self, tx: &mut Tx) -> Result<()> {
        // One of 256 places in a row, so that nothing about persons stays behind.
        let place = format!("person:{}", self.blind.get(..2).unwrap_or_default());
        let sql = Sql::new(
            "INSERT INTO subject_code_counter (stem, value) VALUES ($1, 1) \
             ON CONFLICT (stem) DO UPDATE SET value = subject_code_counter.value + 1",
        );
        tx.execute(sql.arg(place)).await.map(drop)
    }

    /// Refuses a person whose registration waits for review.
    pub(crate) async fn require_not_waiting(&self, tx: &mut Tx) -> Result<()> {
        let sql = Sql::new(
            "SELECT 1 FROM subject_claim c JOIN change_request r ON r.id = c.request \
             WHERE c.blind = $1 AND r.state IN ('submitted', 'returned') LIMIT 1",
        );
        if tx.fetch_one(sql.arg(self.blind.as_str())).await?.is_none() {
            return Ok(());
        }
        let detail = "这个证件号码的登记申请正在审核，请等待审核结果，不要重复提交";
        Err(Problem::invalid(NUMBER, detail))
    }

    /// Notes that a request to register this person waits.
    async fn claim(&self, tx: &mut Tx, request: &Value) -> Result<()> {
        let sql = Sql::new("INSERT INTO subject_claim (request, blind) VALUES ($1, $2)");
        let request = request["id"].as_str().unwrap_or_default();
        tx.execute(sql.arg(request).arg(self.blind.as_str())).await.map(drop)
    }

    /// The person is registered now; nothing waits any longer.
    pub(crate) fn settle(self, tx: &mut Tx) {
        let sql = Sql::new("DELETE FROM subject_claim WHERE blind = $1");
        tx.later([sql.arg(self.blind)]);
    }
}

/// Asks for a registration, and remembers whom it is for.
pub(crate) async fn file(ctx: &Ctx, tx: &mut Tx, body: Object) -> Result<Value> {
    let person = Person::in_body(ctx, &body)?;
    if let Some(person) = &person {
        person.hold(tx).await?;
        person.require_not_waiting(tx).await?;
    }
    let request = review::propose(ctx, tx, Entity::of::<TraceSubject>(), None, body).await?;
    if let Some(person) = &person {
        person.claim(tx, &request).await?;
    }
    Ok(request)
}

/// The person is registered. Who may see the record is told which; others only that it is so, and
/// whom to ask.
pub(crate) async fn already(ctx: &Ctx, tx: &mut Tx, ours: &SubjectBrief) -> Problem {
    let detail = match lookup::require_reach(ctx, tx, (NUMBER, &ours.id)).await {
        Ok(()) => format!(
            "这个证件号码已登记为主体 {}（{}），同一人不另行登记；如有变化请对该主体申请变更",
            ours.code, ours.name
        ),
        Err(Problem::Invalid(_)) => String::from(
            "这个证件号码已经登记，同一人不另行登记；该主体不在您的数据权限范围内，\
             请联系平台运营机构核实",
        ),
        Err(other) => return other,
    };
    Problem::invalid(NUMBER, detail)
}
