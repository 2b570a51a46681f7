//! What everybody may read of a 承诺达标合格证 (handbook §4.1): what is printed on it, and whether it still
//! holds; of one that does not, since when, why, and which one stands in its place.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yj_kernel::{App, Ctx, Problem, Result, Sql, Tx, mask};
use yj_ledger::Ledger;
use yj_model::{Id, OffsetTime};

use crate::{
    document::{BatchDocument, number_of},
    document_proof,
    papers::Side,
};

/// Certificates that are named in the place of one.
const SUCCESSORS_MAX: i64 = 20;
/// Digits from which a number in a text may be somebody's telephone or document.
const TELLING_DIGITS: usize = 11;

/// The register's own identifier of a 承诺达标合格证, and when it was last written.
async fn identified(tx: &mut Tx, number: &str) -> Result<Option<(Id<BatchDocument>, i64)>> {
    let sql = Sql::new(
        "SELECT id, updated_at FROM batch_document WHERE kind = 'commitment' AND number = $1 \
         ORDER BY id LIMIT 1",
    );
    let row = tx.fetch_one(sql.arg(number_of(number))).await?;
    row.map(|row| Ok((row.parsed(0)?, row.int(1)?))).transpose()
}

/// What the public may read of a 承诺达标合格证: all that is printed on it but whom to call, since when it
/// stands on the ledger unchanged, and what became of it.
pub async fn certificate(
    app: &App,
    ledger: &Ledger,
    tx: &mut Tx,
    number: &str,
) -> Result<Option<Value>> {
    let Some((id, written)) = identified(tx, number).await? else { return Ok(None) };
    let own = app.on_own_behalf("certificate");
    let document = tx.get::<BatchDocument>(&own, id).await?.data;
    let (kept, since) = document_proof::integrity(ledger, (&own, tx), &id.to_string()).await?;
    let basis = match document.basis.as_deref() {
        Some("control") => "质量安全控制",
        Some("self_test") => "自行检测",
        Some("commissioned") => "委托检测",
        _ => "",
    };
    let today = app.today().to_string();
    let is_over = document.valid_until.as_ref().is_some_and(|until| *until < today);
    // What was voided or made out anew is that, however old.
    let state = document.state.as_deref().map(|state| match state {
        "valid" if is_over => "expired",
        state => state,
    });
    let voided = match state {
        // Nothing is written of a document after it was voided.
        Some("void") => Some(json!({
            "at": OffsetTime::from_parts(written, 480).map_err(Problem::internal)?,
            "reason": document.void_reason.as_deref().map(impersonal),
        })),
        _ => None,
    };
    let successors = match state {
        Some("void" | "reissued") => successors(&own, tx, (&id.to_string(), &document)).await?,
        _ => Successors::default(),
    };
    let units = document.units.iter().flatten();
    let page = format!("{}/c/{}", app.platform().public_url, document.number);
    Ok(Some(json!({
        "number": document.number, "issuer": document.issuer, "product": document.product,
        "quantity": document.quantity, "unit": document.unit.map(|unit| unit.unit().name),
        "issued_on": document.issued_on, "origin": document.origin, "basis": basis,
        "promise": document.promise, "state": state,
        "valid_until": document.valid_until,
        "codes": units.map(|unit| &unit.code).collect::<Vec<_>>(),
        "origins": document.origins.unwrap_or_default(),
        // What the printed code says: the words, then where to look.
        "qr": format!("承诺达标合格证 {} {page}", document.number),
        "since": since, "anchored": kept.height, "intact": kept.intact, "finding": kept.finding,
        "voided": voided, "successors": successors.made_out_of_it,
        "of_batch": successors.of_its_batch,
    })))
}

/// Certificates that stand in the place of one.
#[derive(Default)]
struct Successors {
    /// Those that its subject made out of it.
    made_out_of_it: Vec<String>,
    /// Those in force that its subject made out later for one of the same batches.
    of_its_batch: Vec<String>,
}

/// What stands in the place of a certificate. Who else went on with the goods is no business of
/// everybody.
async fn successors(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, document): (&str, &BatchDocument),
) -> Result<Successors> {
    let units: BTreeSet<&str> =
        document.units.iter().flatten().map(|unit| unit.code.as_str()).collect();
    let mut sql = Sql::new(
        "SELECT number, CAST(made AS BIGINT) FROM (SELECT d.id, d.number, d.state, CASE WHEN EXISTS \
         (SELECT 1 FROM batch_document_use u WHERE u.source = d.id AND u.document_id = ",
    );
    sql.bind(id).push(" AND u.side = ").bind(Side::Reissued as i64);
    sql.push(
        ") THEN 1 ELSE 0 END AS made, CASE WHEN EXISTS (SELECT 1 FROM batch_document_unit b \
         WHERE b.document_id = d.id AND b.code ",
    );
    sql.bind_texts(units);
    sql.push(
        ") THEN 1 ELSE 0 END AS shares FROM batch_document d WHERE d.kind = 'commitment' \
         AND d.state <> 'void' AND (d.valid_until IS NULL OR d.valid_until >= ",
    );
    sql.bind(ctx.today().to_string()).push(") AND d.subject_id = ");
    sql.bind(document.subject_id.to_string()).push(" AND d.id > ").bind(id);
    sql.push(") AS later WHERE made = 1 OR (shares = 1 AND state = 'valid') ORDER BY id LIMIT ");
    sql.bind(SUCCESSORS_MAX);
    let mut found = Successors::default();
    for row in tx.fetch(sql).await? {
        let list =
            if row.int(1)? == 1 { &mut found.made_out_of_it } else { &mut found.of_its_batch };
        list.push(String::from(row.text(0)?));
    }
    Ok(found)
}

/// A reason that somebody wrote, for everybody: numbers that may be somebody's telephone or document are
/// masked. Days, quantities and numbers of certificates are shorter.
fn impersonal(text: &str) -> String {
    let (mut said, mut number) = (String::new(), String::new());
    for letter in text.chars().chain(['\n']) {
        let digit = letter.is_ascii_digit() || ('０'..='９').contains(&letter);
        // As telephone numbers are written: 138 0000 0001, 029-88880000.
        let within = !number.is_empty() && matches!(letter, ' ' | '-' | 'X' | 'x');
        if digit || within {
            number.push(letter);
            continue;
        }
        let bare = number.trim_end_matches([' ', '-']);
        let digits = bare.chars().filter(|letter| letter.is_numeric()).count();
        if digits >= TELLING_DIGITS {
            said.push_str(&mask(bare));
            said.push_str(&number[bare.len()..]);
        } else {
            said.push_str(&number);
        }
        number.clear();
        said.push(letter);
    }
    String::from(said.trim())
}

/// The proof of a 承诺达标合格证 for everybody; nothing where there is none of this number.
pub async fn certificate_proof(
    ledger: &Ledger,
    tx: &mut Tx,
    number: &str,
) -> Result<Option<Vec<u8>>> {
    let Some((id, _)) = identified(tx, number).await? else { return Ok(None) };
    // Nothing of what is anchored is kept from the public: whom to call is not part of it.
    ledger.proof(tx, &id.to_string()).await.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_people_are_masked_and_all_else_stands_as_it_was_written() {
        for (written, shown) in [
            ("数量有误", "数量有误"),
            ("应为 120 千克，2026-11-19 12:30 发现", "应为 120 千克，2026-11-19 12:30 发现"),
            ("改开 C20261119ABCDEFGHJKLM", "改开 C20261119ABCDEFGHJKLM"),
            ("联系 13800000001 更换", "联系 138****0001 更换"),
            ("电话13800000001", "电话138****0001"),
        ] {
            assert_eq!(impersonal(written), shown);
        }
        for told in
            ["138-0000-0001", "61012519800101001X", "１３８００００１２３４", "029-88880000"]
        {
            let shown = impersonal(&format!("见 {told}，有误"));
            assert!(!shown.contains(told) && shown.ends_with("，有误"), "{shown}");
        }
    }
}
