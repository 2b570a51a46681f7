//! Stories kept in memory. The public asks for the same codes again and again, and of what is told
//! hardly anything ever changes: before a kept story is told once more, the database is asked in one
//! short question whether anything it was told from has changed. Nothing is told on trust.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use yj_kernel::{Result, Row, Sql, Tx};

use crate::{
    balance::Object,
    store,
    story::{Source, tell},
};

/// Stories of one generation. Two are kept: when the younger is full, the elder goes.
const GENERATION: usize = 1_500;

/// Stories that were told, by the code of their unit. One for each database.
#[derive(Clone, Default)]
pub struct Stories(Arc<Mutex<Generations>>);

#[derive(Default)]
struct Generations {
    young: HashMap<String, Arc<Kept>>,
    old: HashMap<String, Arc<Kept>>,
}

struct Kept {
    source: Source,
    mark: Mark,
    story: Arc<Value>,
}

/// What the tables say of everything a story was told from. Of two that are equal nothing lies
/// between: links come and go with their event's number, versions only grow.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    /// Events that made the units or looked at them: how many, the sums of their numbers and times.
    events: (i64, i64, i64),
    /// Sums of the versions of the subjects and of the product.
    names: (i64, i64),
    /// Which domain packs are in force.
    packs: String,
    /// How many records were erased, whichever they are: that is seldom.
    erased: i64,
}

impl Mark {
    fn query(source: &Source) -> Sql {
        let mut sql = Sql::new(
            "SELECT e.events, e.numbers, e.times, s.versions, p.versions, d.value, \
             (SELECT COUNT(*) FROM ledger_tombstone) FROM \
             (SELECT COUNT(*) AS events, CAST(COALESCE(SUM(event_id), 0) AS BIGINT) AS numbers, \
              CAST(COALESCE(SUM(event_time), 0) AS BIGINT) AS times \
              FROM trace_link WHERE role IN (1, 2) AND object_id ",
        );
        sql.bind_ints(source.objects.iter().copied());
        sql.push(") e CROSS JOIN (SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) AS versions FROM trace_subject WHERE id ");
        sql.bind_texts(source.subjects.iter().map(String::as_str));
        sql.push(") s CROSS JOIN (SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) AS versions FROM product WHERE id ");
        sql.bind_texts(source.product.iter().map(String::as_str));
        sql.push(") p CROSS JOIN domain_epoch d WHERE d.id = 1");
        sql
    }

    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            events: (row.int(0)?, row.int(1)?, row.int(2)?),
            names: (row.int(3)?, row.int(4)?),
            packs: String::from(row.text(5)?),
            erased: row.int(6)?,
        })
    }
}

impl Stories {
    /// The public story of a code; `None` when there is none, whatever the reason.
    pub async fn tell(&self, tx: &mut Tx, code: &str) -> Result<Option<Arc<Value>>> {
        if let Some(Some(story)) = self.still(tx, &[code]).await?.pop() {
            return Ok(Some(story));
        }
        let Some(root) = store::read_object(tx, code).await? else { return Ok(None) };
        let (story, source) = tell(tx, code, &root).await?;
        let story = Arc::new(story);
        // Orders and what still waits for the ledger change without a new event.
        if let Some(source) = source {
            let mark = tx.fetch_one(Mark::query(&source)).await?;
            if let Some(mark) = mark.as_ref().map(Mark::read).transpose()? {
                self.keep(code, Kept { source, mark, story: Arc::clone(&story) });
            }
        }
        Ok(Some(story))
    }

    /// Whether a story of this code was told lately.
    pub fn is_kept(&self, code: &str) -> bool {
        let all = self.generations();
        all.young.contains_key(code) || all.old.contains_key(code)
    }

    /// What was told of some codes before and still holds, in their order; one trip to the database
    /// for all of them. `None` says nothing of whether there is a story.
    pub async fn still(&self, tx: &mut Tx, codes: &[&str]) -> Result<Vec<Option<Arc<Value>>>> {
        let kept: Vec<_> = codes.iter().map(|code| self.find(code)).collect();
        let mut queries = Vec::with_capacity(codes.len() * 2);
        for (code, kept) in codes.iter().zip(&kept) {
            if let Some(kept) = kept {
                queries.extend([store::query_object(code), Mark::query(&kept.source)]);
            }
        }
        let mut answers = tx.fetch_all(queries).await?.into_iter();
        let mut stories = Vec::with_capacity(codes.len());
        for kept in kept {
            stories.push(match kept {
                None => None,
                Some(kept) => {
                    let (root, mark) = (answers.next(), answers.next());
                    let root = store::objects(&root.unwrap_or_default())?.into_values().next();
                    let mark = mark.unwrap_or_default().first().map(Mark::read).transpose()?;
                    let same = root.is_some_and(|root| kept.source.is_of(&root))
                        && mark.as_ref() == Some(&kept.mark);
                    same.then(|| Arc::clone(&kept.story))
                }
            });
        }
        Ok(stories)
    }

    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, code: &str) -> Option<Arc<Kept>> {
        let mut all = self.generations();
        if let Some(kept) = all.young.get(code) {
            return Some(Arc::clone(kept));
        }
        let kept = all.old.remove(code)?;
        all.insert(code, Arc::clone(&kept));
        Some(kept)
    }

    fn keep(&self, code: &str, kept: Kept) {
        self.generations().insert(code, Arc::new(kept));
    }
}

impl Generations {
    fn insert(&mut self, code: &str, kept: Arc<Kept>) {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(String::from(code), kept);
    }
}

impl Source {
    /// Whether an object is the one the story was told of, and is as it was then.
    fn is_of(&self, root: &Object) -> bool {
        root.id == Some(self.root)
            && root.quality.is_none()
            && root.product_id == self.product
            && root.lot == self.lot
    }
}
