//! 抽样: a few blocks, records and rows of the queue by chance, and the next rows of the business
//! tables, in the pauses between blocks.

use yj_kernel::{App, Problem, Result, Sql};

use super::{
    Tamper,
    engine::{Counts, FACTS, Phase, Progress},
    finding::Found,
    keep, walk,
};

/// Places where a sample looks.
const PROBES: usize = 10;
/// Records at each.
const RECORDS: usize = 20;
/// Where the business tables are looked at next, in the ledger's own file.
const ROTATION: &str = "tamper_rotation";

impl Tamper {
    /// Takes a sample; what it found.
    pub async fn sample(&self, app: &App) -> Result<Vec<Found>> {
        let _turn = self.0.turn.lock().await;
        let ctx = app.on_own_behalf("tamper");
        let look = self.look(&ctx, &[]);
        let store = self.0.ledger.store();
        let (mut counts, mut found) = (Counts::default(), Vec::new());
        if let Some(tip) = store.tip()? {
            for _ in 0..PROBES.min(usize::try_from(tip.header.height).unwrap_or(PROBES)) {
                let height = below(app.random(), tip.header.height) + 1;
                walk::single(&self.0.ledger, height, &mut found)?;
                counts.blocks += 1;
            }
        }
        if let Some((first, last)) = store.record_span()? {
            for _ in 0..PROBES {
                let batch =
                    store.records_behind(&between((&first, &last), app.random()), RECORDS)?;
                counts.erased += look.examine(&batch, &mut found).await?;
                counts.records += batch.len() as u64;
            }
        }
        let mut tx = ctx.snapshot().await?;
        let last = tx.fetch_one(Sql::new("SELECT MAX(id) FROM anchor_entry")).await?;
        let last = last.map_or(Ok(None), |row| row.int_opt(0))?.unwrap_or(0);
        for _ in 0..PROBES {
            let from = below(app.random(), u64::try_from(last).unwrap_or(0).max(1));
            let sql = Sql::new(
                "SELECT id, record, height, confirmed_at FROM anchor_entry \
                 WHERE id > $1 AND state = 'confirmed' ORDER BY id LIMIT $2",
            );
            let sql = sql.arg(i64::try_from(from).map_err(Problem::internal)?);
            let rows = tx.fetch(sql.arg(i64::try_from(RECORDS).unwrap_or(1))).await?;
            look.forged(&rows, &mut found)?;
            counts.entries += rows.len() as u64;
        }
        drop(tx);
        self.rotate(&look, &mut counts, &mut found).await?;
        counts.findings = found.len() as u64;
        let pass = ctx.new_id::<()>().to_string();
        let mut tx = ctx.begin().await?;
        keep::sampled(&ctx, &mut tx, (&pass, counts));
        tx.commit().await?;
        self.tell(app, (&pass, 0), &found).await?;
        if !found.is_empty() {
            let mut tx = ctx.snapshot().await?;
            let (open, handled) = keep::open(&mut tx).await?;
            Self::figures(app, open + handled);
        }
        Ok(found)
    }

    /// The next rows of the business tables, round and round.
    async fn rotate(
        &self,
        look: &super::Look<'_>,
        counts: &mut Counts,
        found: &mut Vec<Found>,
    ) -> Result<()> {
        let store = self.0.ledger.store();
        let begin = Phase::Facts { owner: 0, after: String::new() };
        let noted = store.note(ROTATION)?;
        let noted = noted.and_then(|note| serde_json::from_str::<Phase>(&note).ok());
        let round = |phase: &Phase| matches!(phase, Phase::Facts { .. } | Phase::Derived { .. });
        let phase = noted.filter(round).unwrap_or(begin);
        let mut progress =
            Progress { pass: String::new(), phase, counts: Counts::default(), worked_ms: 0 };
        for _ in 0..=self.0.owners.len() + self.0.derived.len() {
            look.step(&mut progress, found).await?;
            if progress.counts.facts >= u64::try_from(FACTS).unwrap_or(0) / 2 {
                break;
            }
            if progress.phase == Phase::Done {
                progress.phase = Phase::Facts { owner: 0, after: String::new() };
                break;
            }
        }
        counts.facts += progress.counts.facts;
        let note = serde_json::to_string(&progress.phase).map_err(Problem::internal)?;
        store.keep_note(ROTATION, Some(&note))
    }
}

/// A number below `bound`, which is at least 1.
fn below(random: u128, bound: u64) -> u64 {
    u64::try_from(random % u128::from(bound.max(1))).unwrap_or(0)
}

/// A name between two others, all of them UUIDs; the empty one, from which on everything is, where they
/// are not.
fn between((first, last): (&str, &str), random: u128) -> String {
    let number = |text: &str| u128::from_str_radix(&text.replace('-', ""), 16).ok();
    let (Some(first), Some(last)) = (number(first), number(last)) else { return String::new() };
    // One before the first, so that the first can be drawn too.
    let (first, span) = (first.saturating_sub(1), last.saturating_sub(first).max(1));
    let hex = format!("{:032x}", first + random % span);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_drawn_between_the_first_and_the_last() {
        let (first, last) =
            ("019a0000-0000-7000-8000-000000000001", "019a0000-0000-7000-8000-000000000009");
        for random in 0..20 {
            let name = between((first, last), random);
            assert!(name.as_str() < last, "{name}");
            assert!(name.as_str() >= "019a0000-0000-7000-8000-000000000000", "{name}");
        }
        assert_eq!(between((first, first), 5), "019a0000-0000-7000-8000-000000000000");
        assert_eq!(between(("a", "x"), 5), "");
        assert!(below(u128::MAX, 3) < 3);
    }
}
