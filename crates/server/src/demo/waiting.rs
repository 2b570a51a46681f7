//! What waits for somebody: registrations and hand-written data on the review desk.

use jiff::SignedDuration;
use serde_json::{Value, json};
use yj_kernel::{Entity, Problem, Resource as _, Result, review};
use yj_subject::TraceSubject;
use yj_trace::{Source, TraceEvent};

use super::registers::subject_code;
use crate::Assembled;

/// Registrations and events that wait.
const EACH: u32 = 4;

pub(super) async fn load(assembled: &Assembled) -> Result<()> {
    let ctx = assembled.app.on_own_behalf("demo");
    let mut tx = ctx.begin().await?;
    for number in 1..=EACH {
        let Ok(Value::Object(farmer)) = serde_json::to_value(TraceSubject::sample(number)) else {
            return Err(Problem::internal("a subject must serialize to an object"));
        };
        review::propose(&ctx, &mut tx, Entity::of::<TraceSubject>(), None, farmer).await?;
    }
    tx.commit().await?;
    for number in 1..=i64::from(EACH) {
        let when = assembled.app.now() - SignedDuration::from_hours(5 * number);
        let event = json!({
            "domain": "agri", "type": "harvest", "subject": subject_code("F2")?, "event_time": when.display_with_offset(jiff::tz::Offset::constant(8)).to_string(),
            "outputs": [{ "code": format!("F2-H{number}"), "quantity": (300 + 20 * number).to_string(), "unit": "KGM", "product": "YJ-JC-01", "lot": format!("F2-H{number}") }],
            "attributes": {
                "plot": format!("示例地块{number}"), "area_mu": "5", "variety": "示例紫根韭",
                "sown_on": (when - SignedDuration::from_hours(24 * 90)).display_with_offset(jiff::tz::Offset::constant(8)).to_string()[..10],
            },
        });
        let event: TraceEvent = serde_json::from_value(event).map_err(Problem::internal)?;
        yj_trace::capture(&ctx, Source::Form, &[event], true).await?;
    }
    Ok(())
}
