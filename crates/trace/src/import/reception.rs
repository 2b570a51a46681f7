//! The doors for messages: one request, one message, an answer for every story in it.

use axum::{
    Json,
    body::Bytes,
    extract::Path,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::json;
use yj_kernel::{Access, Ctx, Problem, Result, Route, Shape};
use yj_ledger::Ledger;
use yj_message::BYTES_MAX;

use super::{
    messages::{self, Door, Story},
    telling::{Taken, take},
};
use crate::capture::Source;

/// Stories that one request may tell; more come as a file.
const STORIES_MAX: usize = 1000;

/// The doors for messages.
pub(super) fn routes(ledger: &Ledger) -> Vec<Route> {
    let bell = ledger.clone();
    let receive = move |ctx: Ctx, Path(door): Path<String>, bytes: Bytes| async move {
        let door = Door::find(&door).ok_or(Problem::NotFound("报文类型"))?;
        let answer = receive(&ctx, door, &bytes).await;
        bell.ring();
        answer
    };
    vec![
        Route::new(
            (Method::POST, "/api/v1/trace/messages/{door}"),
            Access::permission("trace:capture"),
            "接收行业报文",
            receive,
        )
        .takes(Shape::Bytes("application/octet-stream"))
        .body_max(BYTES_MAX),
    ]
}

async fn receive(ctx: &Ctx, door: Door, bytes: &[u8]) -> Result<Response> {
    let stories =
        messages::read(door, bytes).map_err(|error| Problem::Malformed(error.to_string()))?;
    if stories.len() > STORIES_MAX {
        return Err(Problem::TooLarge(format!(
            "一次至多 {STORIES_MAX} 条，现为 {} 条，请分批发送，或作为文件导入",
            stories.len()
        )));
    }
    let (mut results, mut counts) = (Vec::with_capacity(stories.len()), [0usize; 3]);
    for story in &stories {
        let mut result = json!({ "records": story.records, "number": number(story) });
        match take(ctx, Source::Api, story).await? {
            Taken::New { ids, held } => {
                counts[0] += 1;
                result["events"] = json!(ids);
                result["state"] = json!(if held { "held" } else { "accepted" });
                result["duplicate"] = json!(false);
            }
            Taken::Duplicate(id) => {
                counts[1] += 1;
                result["events"] = json!([id]);
                result["duplicate"] = json!(true);
            }
            Taken::Refused(problem) => {
                counts[2] += 1;
                result["problem"] = problem.body();
            }
        }
        results.push(result);
    }
    let [new, duplicates, refused] = counts;
    let status = match (new, duplicates) {
        (0, 0) => StatusCode::UNPROCESSABLE_ENTITY,
        (0, _) => StatusCode::OK,
        _ => StatusCode::CREATED,
    };
    let body = json!({
        "kind": door.code(), "new": new, "duplicates": duplicates, "refused": refused,
        "results": results,
    });
    Ok((status, Json(body)).into_response())
}

fn number(story: &Story) -> Option<String> {
    story.told.as_ref().ok().map(|told| told.mentions().number)
}
