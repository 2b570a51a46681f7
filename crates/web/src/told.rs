//! Codes asked for again at the same moment are looked up together (§6.9): what was told of them
//! before is told once more where it still holds.

use std::sync::Arc;

use futures_util::FutureExt;
use serde_json::Value;
use yj_kernel::{App, Gather, Result};
use yj_model::{Recognised, Scheme};
use yj_trace::Stories;

/// Codes of one trip.
const TOGETHER_MAX: usize = 64;

/// What was told lately.
#[derive(Clone)]
pub(crate) struct Told {
    /// The stories of units.
    pub(crate) stories: Stories,
    together: Gather<Asked, Option<Arc<Value>>>,
}

struct Asked {
    app: App,
    code: String,
    readings: Vec<Recognised>,
}

impl Default for Told {
    fn default() -> Self {
        let stories = Stories::default();
        let known = stories.clone();
        let failed = "追溯信息暂不能查询，请稍后重试";
        let together = Gather::as_one(TOGETHER_MAX, failed, move |group| {
            let known = known.clone();
            async move { look_up(&known, &group).await }.boxed()
        });
        Self { stories, together }
    }
}

impl Told {
    /// The story that was told of a code before, if it still holds. `None` says nothing of whether
    /// there is one.
    pub(crate) async fn again(
        &self,
        app: &App,
        (code, readings): (&str, &[Recognised]),
    ) -> Result<Option<Arc<Value>>> {
        // Whose code one is that names a product, its product says too.
        let names_product =
            |reading: &Recognised| reading.scheme == Scheme::Gs1 && reading.part("gtin").is_some();
        if !self.stories.is_kept(code) || readings.iter().any(names_product) {
            return Ok(None);
        }
        let (app, code, readings) = (app.clone(), String::from(code), readings.to_vec());
        self.together.ask(Asked { app, code, readings }).await
    }
}

async fn look_up(stories: &Stories, group: &[Asked]) -> Result<Vec<Option<Arc<Value>>>> {
    let Some(first) = group.first() else { return Ok(Vec::new()) };
    let mut tx = first.app.db().snapshot().await?;
    let codes: Vec<&str> = group.iter().map(|one| one.code.as_str()).collect();
    let mut found = stories.still(&mut tx, &codes).await?;
    let readings: Vec<&[Recognised]> = group.iter().map(|one| one.readings.as_slice()).collect();
    let minted = yj_product::are_minted(&first.app, &mut tx, &readings).await?;
    for (story, minted) in found.iter_mut().zip(minted) {
        // A code of a batch is told of with what became of it.
        if minted {
            *story = None;
        }
    }
    Ok(found)
}
