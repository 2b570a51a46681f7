//! What became of the events of one request, as clients see it.

use serde_json::{Value, json};
use yj_kernel::Problem;

use crate::capture::Captured;

/// The results as clients see them. Of a batch that was refused as a whole only the refusals are
/// told: nothing has become of the others, and what would have is nobody's to try out.
pub(crate) fn results(captured: &[Captured], stored: bool) -> Vec<Value> {
    let aside = Problem::Conflict(String::from("同批有误，未登记"));
    let made = |wanted: &String| {
        let is = |one: &Captured| matches!(one, Captured::New { id, .. } if id == wanted);
        captured.iter().any(is)
    };
    let one = |(index, captured): (usize, &Captured)| match captured {
        Captured::New { .. } if !stored => json!({ "index": index, "problem": aside.body() }),
        Captured::Duplicate { id } if !stored && made(id) => {
            json!({ "index": index, "problem": aside.body() })
        }
        Captured::New { id, held } => {
            json!({ "index": index, "id": id, "state": if *held { "held" } else { "accepted" }, "duplicate": false })
        }
        Captured::Duplicate { id } => json!({ "index": index, "id": id, "duplicate": true }),
        Captured::Refused(problem) => json!({ "index": index, "problem": problem.body() }),
    };
    captured.iter().enumerate().map(one).collect()
}
