//! 文件中的附加列 (G-6.2.1, G-6.3.2): a field that holds a structure is one column for each of its
//! parts in files of records, in and out, where the register says which parts there are.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::BoxFuture;
use serde_json::Value;
pub use yj_sheet::Column;

use crate::{App, Entity, FieldError, Result, Tx, json::Object};

/// One part of the structure.
pub struct Part {
    /// The value of [`Spread::by`] whose records have it.
    pub of: String,
    /// Its key in the structure.
    pub name: String,
    /// As the column is headed; parts of other records may be called the same.
    pub column: Column,
    /// A cell, not empty, as the value it means; what it means nothing as is checked by the record.
    pub read: Arc<dyn Fn(&str) -> Value + Send + Sync>,
    /// A value as people read it.
    pub show: Arc<dyn Fn(&Value) -> String + Send + Sync>,
}

/// How a field of a register spreads over columns.
#[derive(Clone, Copy)]
pub struct Spread {
    /// The field that holds the structure.
    pub field: &'static str,
    /// The code field that says which parts a record has.
    pub by: &'static str,
    /// Every part there is now.
    pub parts: for<'a> fn(&'a App, &'a mut Tx) -> BoxFuture<'a, Result<Vec<Part>>>,
}

/// The parts of a register's structure; none where it has none.
pub(crate) async fn parts(app: &App, tx: &mut Tx, entity: &Entity) -> Result<Vec<Part>> {
    match entity.spread {
        Some(spread) => (spread.parts)(app, tx).await,
        None => Ok(Vec::new()),
    }
}

/// Puts the cells of a row that are parts into its structure. A cell that is no part of this
/// record is a mistake of whoever filled the row in.
pub(crate) fn gather(
    entity: &Entity,
    parts: &[Part],
    cells: &Object,
    body: &mut Object,
) -> Vec<FieldError> {
    let Some(spread) = entity.spread else { return Vec::new() };
    let of = body.get(spread.by).and_then(Value::as_str).unwrap_or_default();
    let (mut structure, mut errors) = (Object::new(), Vec::new());
    for (label, cell) in cells {
        let named = |part: &&Part| part.column.name == *label;
        let own = entity.fields.iter().any(|field| field.label == label || field.name == label);
        let text = cell.as_str().unwrap_or_default().trim();
        if own || text.is_empty() || !parts.iter().any(|part| named(&part)) {
            continue;
        }
        match parts.iter().filter(named).find(|part| part.of == of) {
            Some(part) => drop(structure.insert(part.name.clone(), (part.read)(text))),
            None => errors.push(FieldError {
                field: label.clone(),
                detail: format!("{label}：此行的记录没有这一项，应留空"),
            }),
        }
    }
    if !structure.is_empty() {
        body.insert(String::from(spread.field), Value::Object(structure));
    }
    errors
}

/// Adds to every row the cells of the parts that some of the records have; their headings.
pub(crate) fn widen<'a>(
    spread: Spread,
    parts: &'a [Part],
    rows: &mut [Vec<String>],
    records: &[Object],
) -> Vec<&'a str> {
    let of = |record: &Object| record.get(spread.by).and_then(Value::as_str).map(String::from);
    let present: BTreeSet<_> = records.iter().filter_map(of).collect();
    let mut headings: Vec<&str> = Vec::new();
    for part in parts.iter().filter(|part| present.contains(&part.of)) {
        if !headings.contains(&part.column.name.as_str()) {
            headings.push(&part.column.name);
        }
    }
    for (row, record) in rows.iter_mut().zip(records) {
        let code = of(record).unwrap_or_default();
        row.extend(headings.iter().map(|heading| {
            let part = parts.iter().find(|part| part.of == code && part.column.name == *heading);
            let value = part.and_then(|part| {
                record.get(spread.field)?.get(&part.name).map(|value| (part.show)(value))
            });
            value.unwrap_or_default()
        }));
    }
    headings
}
