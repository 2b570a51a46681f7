//! 删除 (S-35, ADR 41): a message keeps word for word the events that it brought. Where one of them is
//! erased, its events are taken out of it. Its readings and its digest stay, so that the other messages of
//! its batch are proved as before; the message itself can no longer be.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use yj_kernel::{Ctx, Problem, Result, Sql, Tx, time_text};
use yj_ledger::{Ground, Ledger};
use yj_trace::Copies;

/// The member that says when a message was shortened.
pub(crate) const MARK: &str = "erased_at";

/// Messages as copies of the 追溯事件 that they brought.
pub struct MessageCopies;

impl Copies for MessageCopies {
    fn erase<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        _: &'a Ledger,
        (event, _): (&'a str, Ground),
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        Box::pin(async move {
            let sql = Sql::new(
                "SELECT m.id, m.content FROM device_message m WHERE m.id IN \
                 (SELECT e.message_id FROM device_event e WHERE e.event = $1 \
                  UNION SELECT a.message_id FROM device_event_again a WHERE a.event = $2)",
            );
            for row in tx.fetch(sql.arg(event).arg(event)).await? {
                let mut content: Map<String, Value> =
                    serde_json::from_str(row.text(1)?).map_err(Problem::internal)?;
                if content.contains_key(MARK) {
                    continue;
                }
                content.remove("events");
                content.insert(String::from(MARK), time_text(ctx.now_ms())?);
                let sql = Sql::new("UPDATE device_message SET content = $1 WHERE id = $2");
                tx.later([sql.arg(Value::Object(content).to_string()).arg(row.text(0)?)]);
            }
            Ok(Vec::new())
        })
    }
}

/// Whether the text of a message was shortened.
pub(crate) fn is_shortened(content: &str) -> bool {
    serde_json::from_str::<Map<String, Value>>(content).is_ok_and(|one| one.contains_key(MARK))
}

/// Which of these messages brought an event that was erased: they alone may be shortened.
pub(crate) async fn lawful(tx: &mut Tx, messages: &[&str]) -> Result<BTreeSet<String>> {
    if messages.is_empty() {
        return Ok(BTreeSet::new());
    }
    let (mut first, mut again) = (
        Sql::new("SELECT event, message_id FROM device_event WHERE message_id "),
        Sql::new("SELECT event, message_id FROM device_event_again WHERE message_id "),
    );
    first.bind_texts(messages.iter().copied());
    again.bind_texts(messages.iter().copied());
    let answers = tx.fetch_all(vec![first, again]).await?;
    let rows = || answers.iter().flatten();
    let events = rows().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let erased = yj_trace::erased(tx, &events).await?;
    let lawful = rows().filter(|row| row.text(0).is_ok_and(|event| erased.contains(event)));
    lawful.map(|row| row.text(1).map(String::from)).collect()
}
