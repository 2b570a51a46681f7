//! 更正: what the corrected event did is taken back before its correction is applied.

use yj_kernel::{Result, Sql, Tx};

use crate::{
    balance::{Before, Link, LinkRole, Objects, revert},
    store::{self, StoredEvent},
};

/// What the batch that a correction comes in has already changed and not written yet.
#[derive(Debug, Default)]
pub(crate) struct Meanwhile<'a> {
    /// Stored events that it has corrected.
    pub(crate) superseded: Vec<i64>,
    /// Codes that its events put out, and when, Unix ms.
    pub(crate) outputs: Vec<(&'a str, i64)>,
}

/// Takes a stored event back; what it has left behind.
pub(crate) async fn take_back(
    tx: &mut Tx,
    objects: &mut Objects,
    (original, links): (&StoredEvent, &[Link]),
    meanwhile: &Meanwhile<'_>,
) -> Result<Before> {
    load_missing(tx, objects, links).await?;
    let counted = original.spec.as_ref().map(|spec| spec.outputs.terminal.is_none());
    revert(objects, links, counted)?;
    let of_role = |role| links.iter().filter(move |link: &&Link| link.role == role);
    let mut before = Before::default();
    before.made.extend(of_role(LinkRole::Output).map(|link| link.code.clone()));
    // Nothing is before what began a code, whatever times the events give.
    let began = |code: &str| !of_role(LinkRole::Input).any(|link| link.code == code);
    let at = (original.time.unix_ms(), original.id);
    for row in tx.fetch(query_others(original.id)).await? {
        let (code, event, time) = (row.text(0)?, row.int(1)?, row.int(2)?);
        let later = began(code) || (time, event) > at;
        if later && !meanwhile.superseded.contains(&event) {
            before.moved_on.insert(String::from(code));
        }
    }
    let written = meanwhile.outputs.iter().filter(|(code, _)| before.made.contains(*code));
    let later = written.filter(|(code, time)| began(code) || *time >= at.0);
    before.moved_on.extend(later.map(|(code, _)| String::from(*code)));
    Ok(before)
}

/// The query for the other events that put out what an event put out.
fn query_others(event: i64) -> Sql {
    Sql::new(
        "SELECT o.code, l.event_id, l.event_time FROM trace_link w CROSS JOIN trace_link l \
         CROSS JOIN trace_object o WHERE w.event_id = $1 AND w.role = 1 \
         AND l.object_id = w.object_id AND l.role = 1 AND l.event_id <> w.event_id \
         AND o.id = w.object_id",
    )
    .arg(event)
}

/// Objects that only the corrected event touched.
async fn load_missing(tx: &mut Tx, objects: &mut Objects, links: &[Link]) -> Result<()> {
    let missing: Vec<&str> = links
        .iter()
        .map(|link| link.code.as_str())
        .filter(|code| !objects.contains_key(*code))
        .collect();
    objects.extend(store::lock_objects(tx, &missing).await?);
    Ok(())
}
