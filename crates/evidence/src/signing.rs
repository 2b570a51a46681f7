//! 企业自签: an organisation fetches what is to be anchored in its name, computes for itself what
//! it signs, and sends the signatures. Nothing here asks it to trust a digest of ours.

use axum::{Json, extract::RawQuery, http::Method};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_crypto::{from_hex, to_hex};
use yj_kernel::{Access, Body, Ctx, Param, Problem, Result, Route, Shape, Tx, audit};
use yj_ledger::{Ledger, SIGNED_MAX, SignedRecords, unsigned};
use yj_model::Id;
use yj_subject::TraceSubject;

/// Records of one answer at most.
const UNSIGNED_MAX: i64 = 1_000;
/// Submissions of one request at most.
const SUBMISSIONS_MAX: usize = 1_000;
/// Records in all submissions of one request at most.
const RECORDS_MAX: usize = 5_000;

/// Signed submissions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Submissions {
    /// 1 至 1000 次提交
    #[schemars(length(min = 1, max = 1000))]
    submissions: Vec<Submission>,
}

/// One of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Submission {
    /// 主体代码
    #[schemars(length(max = 32))]
    org: String,
    /// 密钥名称
    #[schemars(length(max = 32))]
    kid: String,
    /// 序号，为该主体上一次提交的序号加一
    #[schemars(range(min = 1))]
    seq: u64,
    /// 记录编号，依签名时的次序，1 至 1000 条
    #[schemars(length(min = 1, max = 1000))]
    records: Vec<String>,
    /// SM2 签名，128 位十六进制
    #[schemars(length(min = 128, max = 128))]
    signature: String,
}

pub(crate) fn routes(ledger: &Ledger) -> Vec<Route> {
    let (waiting, taking) = (ledger.clone(), ledger.clone());
    let list = move |ctx: Ctx, RawQuery(query): RawQuery| {
        let ledger = waiting.clone();
        async move { list(&ctx, &ledger, &query.unwrap_or_default()).await.map(Json) }
    };
    let take = move |ctx: Ctx, Body(body): Body<Submissions>| {
        let ledger = taking.clone();
        async move { take(&ctx, &ledger, body).await.map(Json) }
    };
    let may = || Access::permission("ledger:sign");
    vec![
        Route::new((Method::GET, "/api/v1/ledger/unsigned"), may(), "待企业签名的存证记录", list)
            .query(&[
                Param { name: "org", label: "主体代码", required: true },
                Param {
                    name: "limit", label: "至多返回的条数，1 至 1000", required: false
                },
            ]),
        Route::new((Method::POST, "/api/v1/ledger/submissions"), may(), "提交企业签名", take)
            .takes(Shape::of::<Submissions>()),
    ]
}

/// The organisation must be within reach of the right to sign.
async fn require_reach(ctx: &Ctx, tx: &mut Tx, org: &str) -> Result<()> {
    let none = || Problem::NotFound("追溯主体");
    let subject = yj_subject::by_codes(tx, &[org]).await?.into_values().next();
    let subject = subject.filter(|subject| subject.code == org).ok_or_else(none)?;
    let id: Id<TraceSubject> = subject.id.parse().map_err(Problem::internal)?;
    tx.get(ctx, id).await.map(drop)
}

async fn list(ctx: &Ctx, ledger: &Ledger, query: &str) -> Result<Value> {
    let find = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    };
    let org = find("org").filter(|org| !org.is_empty());
    let org = org.ok_or_else(|| Problem::invalid("org", "请给出主体代码"))?;
    let limit = match find("limit") {
        None => UNSIGNED_MAX,
        Some(text) => {
            let sound = text.parse().ok().filter(|count| (1..=UNSIGNED_MAX).contains(count));
            sound.ok_or_else(|| Problem::invalid("limit", "应为 1 至 1000 的整数"))?
        }
    };
    let mut tx = ctx.snapshot().await?;
    require_reach(ctx, &mut tx, &org).await?;
    let items = unsigned(&mut tx, &org, limit).await?;
    let (_, chain_id) = ledger.genesis();
    let next = ledger.next_seq(&org)?;
    Ok(json!({ "chain_id": to_hex(&chain_id), "org": org, "next_seq": next, "items": items }))
}

async fn take(ctx: &Ctx, ledger: &Ledger, body: Submissions) -> Result<Value> {
    let submissions = body.submissions;
    if !(1..=SUBMISSIONS_MAX).contains(&submissions.len()) {
        let detail = format!("每次请求应含 1 至 {SUBMISSIONS_MAX} 次提交");
        return Err(Problem::invalid("submissions", detail));
    }
    let records: usize = submissions.iter().map(|submission| submission.records.len()).sum();
    if records > RECORDS_MAX || submissions.iter().any(|one| one.records.len() > SIGNED_MAX) {
        let detail = format!("每次提交至多 {SIGNED_MAX} 条记录，每次请求至多 {RECORDS_MAX} 条");
        return Err(Problem::invalid("submissions", detail));
    }
    let mut orgs: Vec<&str> = submissions.iter().map(|submission| &*submission.org).collect();
    orgs.sort_unstable();
    orgs.dedup();
    let mut tx = ctx.snapshot().await?;
    for org in orgs {
        require_reach(ctx, &mut tx, org).await?;
    }
    drop(tx);
    let read = |submission: Submission| {
        let Submission { org, kid, seq, records, signature } = submission;
        let signature = from_hex(&signature);
        let signature = signature
            .ok_or_else(|| Problem::invalid("signature", "应为 128 位十六进制的 SM2 签名"))?;
        Ok(SignedRecords { org, kid, seq, records, signature })
    };
    let batches = submissions.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    let seqs: Vec<u64> = batches.iter().map(|batch| batch.seq).collect();
    let answers = ledger.submit(ctx.app(), batches).await?;
    let mut accepted = 0;
    let answer = |(seq, answer): (u64, Result<u64>)| match answer {
        Ok(height) => {
            accepted += 1;
            json!({ "seq": seq, "height": height })
        }
        Err(problem) => {
            problem.log();
            json!({ "seq": seq, "problem": problem.body() })
        }
    };
    let answers: Vec<Value> = seqs.into_iter().zip(answers).map(answer).collect();
    if accepted > 0 {
        let mut tx = ctx.begin().await?;
        let body = json!({ "accepted": accepted, "records": records });
        let entry = audit::Entry { action: "signed", entity: "ledger", record: "", body };
        audit::write(ctx, &mut tx, entry);
        tx.commit().await?;
    }
    Ok(json!({ "accepted": accepted, "submissions": answers }))
}
