//! How fast events are hashed as CBV 2.0 says, by one core.

use std::time::{Duration, Instant};

use serde_json::json;
use yj_epcis::{Document, Event, EventHash, Limits, event_hash};

use super::{line, rate};

/// Hashes between two looks at the clock.
const AT_ONCE: usize = 500;
/// How long each is measured.
const LONG: Duration = Duration::from_secs(2);

pub(super) fn run() -> Result<(), String> {
    let document = serde_json::to_vec(&document()).map_err(|error| error.to_string())?;
    let document =
        Document::parse(&document, &Limits::default()).map_err(|error| error.to_string())?;
    let events = document.check(10).map_err(|faults| format!("{faults:?}"))?;
    for (name, algorithm) in [("SHA-256", EventHash::Sha256), ("SM3", EventHash::Sm3)] {
        line(
            &format!("事件哈希，一个核，{name}"),
            &measured(&document, &events, algorithm),
            "≥ 50000 条/秒",
        );
    }
    Ok(())
}

fn measured(document: &Document, events: &[Event], algorithm: EventHash) -> String {
    let (begun, mut count) = (Instant::now(), 0);
    while begun.elapsed() < LONG {
        for event in events.iter().cycle().take(AT_ONCE) {
            std::hint::black_box(event_hash(event.source(), document.context(), algorithm));
        }
        count += AT_ONCE;
    }
    rate(count, begun.elapsed())
}

/// An event as an enterprise sends it, and one with everything that is seldom sent: ways of saying
/// what was measured, sources and destinations, fields of its own.
fn document() -> serde_json::Value {
    let plain = json!({
        "type": "ObjectEvent", "action": "OBSERVE",
        "bizStep": "shipping", "disposition": "in_transit",
        "eventTime": "2026-01-01T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
        "epcList": ["https://id.gs1.org/01/06901234567892/21/10017", "urn:epc:id:sscc:6901234.0000012345"],
        "quantityList": [{ "epcClass": "https://id.gs1.org/01/06901234567892/10/L1", "quantity": 100, "uom": "KGM" }],
        "readPoint": { "id": "https://id.gs1.org/414/6901234000016" },
        "bizLocation": { "id": "https://id.gs1.org/414/6901234000016" },
    });
    let mut full = plain.clone();
    full["bizTransactionList"] = json!([{ "type": "po", "bizTransaction": "urn:example:po:1" }]);
    full["destinationList"] =
        json!([{ "type": "owning_party", "destination": "https://id.gs1.org/417/6901234000016" }]);
    full["sensorElementList"] = json!([{
        "sensorMetadata": { "time": "2026-01-01T00:00:00Z" },
        "sensorReport": [{ "type": "Temperature", "value": 4.2, "uom": "CEL" }],
    }]);
    full["yj:party"] = json!({ "yj:name": "示例", "yj:note": ["一", "二"] });
    json!({
        "@context": [yj_epcis::EPCIS_CONTEXT, { "yj": "urn:yj:epcis:" }],
        "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-01-01T08:00:00+08:00",
        "epcisBody": { "eventList": [plain, full] },
    })
}
