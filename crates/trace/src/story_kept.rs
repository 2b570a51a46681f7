//! Stories kept in memory. The public asks for the same codes again and again, and of what is told
//! hardly anything ever changes: before a kept story is told once more, the database is asked in one
//! short question whether anything it was told from has changed. Nothing is told on trust.

use std::{
    collections::{BTreeSet, HashMap},
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
const GENERATION: usize = 2_048;

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

/// What the tables say, at one moment, of everything that some stories were told from: asked in one
/// trip for all of them, as a statement for each would cost more than what it finds.
struct Marks {
    /// Of each unit its events: how many, the sums of their numbers and times.
    events: HashMap<i64, (i64, i64, i64)>,
    /// Versions of subjects and products.
    subjects: HashMap<String, i64>,
    products: HashMap<String, i64>,
    packs: String,
    erased: i64,
}

impl Marks {
    /// The statements that ask for the marks of these sources.
    fn queries(sources: &[&Source]) -> Vec<Sql> {
        let mut events = Sql::new(
            "SELECT object_id, COUNT(*), CAST(SUM(event_id) AS BIGINT), CAST(SUM(event_time) AS BIGINT) \
             FROM trace_link WHERE role IN (1, 2) AND object_id ",
        );
        let objects: BTreeSet<i64> =
            sources.iter().flat_map(|source| source.objects.iter().copied()).collect();
        events.bind_ints(objects).push(" GROUP BY object_id");
        let subjects = sources.iter().flat_map(|source| source.subjects.iter());
        let products = sources.iter().filter_map(|source| source.product.as_ref());
        vec![
            events,
            versions("SELECT id, version FROM trace_subject WHERE id ", subjects),
            versions("SELECT id, version FROM product WHERE id ", products),
            Sql::new(
                "SELECT d.value, (SELECT COUNT(*) FROM ledger_tombstone) FROM domain_epoch d \
                 WHERE d.id = 1",
            ),
        ]
    }

    /// Reads their answers.
    fn read(answers: &mut impl Iterator<Item = Vec<Row>>) -> Result<Option<Self>> {
        let mut next = || answers.next().unwrap_or_default();
        let (events, subjects, products, rest) = (next(), next(), next(), next());
        let Some(rest) = rest.first() else { return Ok(None) };
        let event = |row: &Row| Ok((row.int(0)?, (row.int(1)?, row.int(2)?, row.int(3)?)));
        let version = |row: &Row| Ok((String::from(row.text(0)?), row.int(1)?));
        Ok(Some(Self {
            events: events.iter().map(event).collect::<Result<_>>()?,
            subjects: subjects.iter().map(version).collect::<Result<_>>()?,
            products: products.iter().map(version).collect::<Result<_>>()?,
            packs: String::from(rest.text(0)?),
            erased: rest.int(1)?,
        }))
    }

    /// The mark of one of the sources that were asked for.
    fn of(&self, source: &Source) -> Mark {
        let mut events = (0_i64, 0_i64, 0_i64);
        for (count, numbers, times) in source.objects.iter().filter_map(|id| self.events.get(id)) {
            events.0 = events.0.wrapping_add(*count);
            events.1 = events.1.wrapping_add(*numbers);
            events.2 = events.2.wrapping_add(*times);
        }
        let subjects = source.subjects.iter().filter_map(|id| self.subjects.get(id)).sum();
        let product = source.product.iter().filter_map(|id| self.products.get(id)).sum();
        Mark { events, names: (subjects, product), packs: self.packs.clone(), erased: self.erased }
    }
}

fn versions<'a>(head: &'static str, ids: impl Iterator<Item = &'a String>) -> Sql {
    let ids: BTreeSet<&str> = ids.map(String::as_str).collect();
    let mut sql = Sql::new(head);
    sql.bind_texts(ids);
    sql
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
            let mut answers = tx.fetch_all(Marks::queries(&[&source])).await?.into_iter();
            if let Some(marks) = Marks::read(&mut answers)? {
                let mark = marks.of(&source);
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
        let known =
            || codes.iter().zip(&kept).filter_map(|(code, kept)| Some((*code, kept.as_ref()?)));
        let sources: Vec<&Source> = known().map(|(_, kept)| &kept.source).collect();
        if sources.is_empty() {
            return Ok(vec![None; codes.len()]);
        }
        let mut queries = Marks::queries(&sources);
        queries.push(store::query_objects(known().map(|(code, _)| code)));
        let mut answers = tx.fetch_all(queries).await?.into_iter();
        let Some(marks) = Marks::read(&mut answers)? else { return Ok(vec![None; codes.len()]) };
        let roots = store::objects(&answers.next().unwrap_or_default())?;
        let still = |(code, kept): (&&str, &Option<Arc<Kept>>)| {
            let kept = kept.as_ref()?;
            let root = roots.get(*code)?;
            let same = kept.source.is_of(root) && marks.of(&kept.source) == kept.mark;
            same.then(|| Arc::clone(&kept.story))
        };
        Ok(codes.iter().zip(&kept).map(still).collect())
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
