//! Code lists that grow while the platform runs (G-4b): a domain that somebody uploads is a code of
//! every register that names domains, without a rebuild.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use futures_util::future::BoxFuture;

use crate::{
    App, Entity, Kind, Problem, Result, Tx,
    field::{Codes, Field},
};

/// Codes with their labels as they stand in the database.
type Read = for<'a> fn(&'a App, &'a mut Tx) -> BoxFuture<'a, Result<Vec<(String, String)>>>;

/// A code list whose codes are read when they are needed.
#[derive(Clone, Copy)]
pub struct CodeList {
    /// What [`Field::grows`] calls it.
    pub name: &'static str,
    /// Every code that records may hold, those among them that are closed to new events too: what
    /// was registered stays readable.
    pub read: Read,
}

/// Every content that a list of this process has had, so that descriptions can refer to it for
/// ever. There are as many as administrators have changed a list, and a list holds names only.
static CONTENTS: Mutex<BTreeMap<Vec<(String, String)>, Codes>> = Mutex::new(BTreeMap::new());

/// The description of a register with these lists.
static PRESENT: Mutex<BTreeMap<(&'static str, Vec<Codes>), &'static Entity>> =
    Mutex::new(BTreeMap::new());

fn lasting(codes: Vec<(String, String)>) -> Codes {
    let mut contents = CONTENTS.lock().unwrap_or_else(PoisonError::into_inner);
    contents.entry(codes).or_insert_with_key(|codes| {
        let lasting = |text: &String| -> &'static str { String::leak(text.clone()) };
        let codes = codes.iter().map(|(code, label)| (lasting(code), lasting(label)));
        Vec::leak(codes.collect())
    })
}

async fn read(app: &App, tx: &mut Tx, name: &str) -> Result<Codes> {
    let list = app.code_lists().iter().find(|list| list.name == name);
    let list = list.ok_or_else(|| Problem::internal(format!("no such code list: {name}")))?;
    Ok(lasting((list.read)(app, tx).await?))
}

/// Levels of a tree of codes that people compare: the rest are too many to look at side by side.
const TRUNK_LEVELS: usize = 2;

/// Of codes that form a tree, those of its upper levels.
pub(crate) fn trunk(codes: Codes) -> Vec<(&'static str, &'static str)> {
    let known: BTreeSet<&str> = codes.iter().map(|(code, _)| *code).collect();
    let level = |code: &str| {
        let above = code.char_indices().skip(1).map(|(end, _)| &code[..end]);
        above.filter(|above| known.contains(above)).count() + 1
    };
    codes.iter().filter(|(code, _)| level(code) <= TRUNK_LEVELS).copied().collect()
}

/// A register as this transaction sees it, its lists holding what they hold now.
pub async fn present(app: &App, tx: &mut Tx, entity: &Entity) -> Result<&'static Entity> {
    let mut lists = Vec::new();
    for name in entity.fields.iter().filter_map(|field| field.grows) {
        lists.push(read(app, tx, name).await?);
    }
    let mut known = PRESENT.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(known.entry((entity.table, lists)).or_insert_with_key(|(_, lists)| {
        let mut lists = lists.iter();
        let mut field = |field: &Field| {
            let Some(codes) = field.grows.and_then(|_| lists.next()) else { return *field };
            let kind = match field.kind {
                Kind::CodeList(_) => Kind::CodeList(codes),
                _ => Kind::Code(codes),
            };
            Field { kind, ..*field }
        };
        let fields = Vec::leak(entity.fields.iter().map(&mut field).collect());
        Box::leak(Box::new(entity.with_fields(fields)))
    }))
}

/// [`present`] of all registers that people work with.
pub async fn all_present(app: &App, tx: &mut Tx) -> Result<Vec<&'static Entity>> {
    let mut all = Vec::with_capacity(app.entities().len());
    for entity in app.offered() {
        all.push(present(app, tx, entity).await?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trunk_is_what_has_at_most_one_code_above_it() {
        let codes: Codes =
            &[("01", "甲"), ("0101", "乙"), ("010150", "丙"), ("020150", "丁"), ("other", "其他")];
        let kept: Vec<_> = trunk(codes).into_iter().map(|(code, _)| code).collect();
        assert_eq!(kept, ["01", "0101", "020150", "other"]);
    }
}
