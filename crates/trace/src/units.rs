//! What a chain is made of: 追溯单元, numbered in the order of their codes, and the edges that join
//! them to events. Codes, which are long and alike, are compared once, when the units get their numbers.

use std::{ops::ControlFlow, sync::Mutex};

use rustc_hash::FxHashMap;
use yj_kernel::{Problem, Result, Row, Sql, Tx};
use yj_model::{Quantity, Stage, UnitCode};

use crate::{
    balance::{LinkRole, ObjectState},
    carried::{self, PutOut},
    closure::{Direction, TOGETHER},
    names::{self, Names},
    order::Quality,
    store,
};

/// Which of the two ways lead to something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ways {
    upstream: bool,
    downstream: bool,
}

impl Ways {
    pub(crate) fn add(&mut self, direction: Direction) {
        match direction {
            Direction::Upstream => self.upstream = true,
            Direction::Downstream => self.downstream = true,
        }
    }

    pub(crate) fn remove(&mut self, direction: Direction) {
        match direction {
            Direction::Upstream => self.upstream = false,
            Direction::Downstream => self.downstream = false,
        }
    }

    pub(crate) const fn has(self, direction: Direction) -> bool {
        match direction {
            Direction::Upstream => self.upstream,
            Direction::Downstream => self.downstream,
        }
    }

    /// Whether either does.
    pub(crate) const fn any(self) -> bool {
        self.upstream || self.downstream
    }
}

/// What an object is to the chain of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// What was asked for.
    Root,
    Upstream,
    Downstream,
    /// Not part of the chain, but it went into its events or came out of them.
    Beside,
}

impl Role {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Upstream => "upstream",
            Self::Downstream => "downstream",
            Self::Beside => "beside",
        }
    }
}

/// One object as a chain sees it.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) id: i64,
    pub(crate) code: String,
    /// Number of the product's identifier.
    pub(crate) product: Option<usize>,
    pub(crate) lot: Option<String>,
    /// What it is counted in.
    pub(crate) measure: UnitCode,
    /// Number of the identifier of the subject that put it out last.
    pub(crate) subject: usize,
    /// What others than that hold of the balance, with the numbers of their identifiers.
    pub(crate) parts: Vec<(usize, Quantity)>,
    pub(crate) stage: Stage,
    /// What it was made with: what was put out of it again under its own code counts once.
    pub(crate) produced: Quantity,
    pub(crate) balance: Quantity,
    pub(crate) state: ObjectState,
    pub(crate) quality: Option<Quality>,
    /// Each time that it was put out, in the order of time, where it went on under its own code.
    pub(crate) put_out: Vec<PutOut>,
    /// Which ways lead to it from the root.
    pub(crate) reached: Ways,
    /// Whether it is a package that what was asked for was taken out of: nothing of that is in it.
    pub(crate) left: bool,
    /// `None` for what only an event names that looked at another, and for what the caller may not see.
    pub(crate) role: Option<Role>,
}

impl Unit {
    /// Who holds how much of it; of nothing whoever put it out last.
    pub(crate) fn holders(&self) -> impl Iterator<Item = (usize, Quantity)> {
        let apart: i64 = self.parts.iter().map(|(_, part)| part.scaled()).sum();
        let own = Quantity::from_scaled(self.balance.scaled() - apart).unwrap_or(self.balance);
        let own = (self.subject, own);
        let own = Some(own).filter(|(_, own)| self.parts.is_empty() || own.is_positive());
        own.into_iter().chain(self.parts.iter().copied())
    }

    /// What it was made with until an event, in ten-thousandths, that event among it.
    pub(crate) fn made_until(&self, at: (i64, i64)) -> i128 {
        carried::made_until(self.produced.scaled(), &self.put_out, at).into()
    }

    /// Number of who held it when it went into an event: who had put it out last before.
    pub(crate) fn holder_before(&self, at: (i64, i64)) -> usize {
        let before = carried::around(&self.put_out, at).0;
        let before = before.checked_sub(1).and_then(|last| self.put_out.get(last));
        before.or(self.put_out.first()).map_or(self.subject, |once| once.subject)
    }

    /// Number of who put it out next after an event; of who holds it where nobody did.
    pub(crate) fn holder_after(&self, at: (i64, i64)) -> usize {
        let after = self.put_out.get(carried::around(&self.put_out, at).1);
        after.map_or(self.subject, |once| once.subject)
    }
}

/// An object's part in an event, in the object's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edge {
    /// Number of the object.
    pub(crate) unit: usize,
    pub(crate) role: LinkRole,
    pub(crate) quantity: Option<Quantity>,
}

/// Columns for [`read`].
const UNIT: &str = "SELECT id, code, product_id, lot, unit, subject_id, stage, produced, balance, \
     state, quality, apart FROM trace_object WHERE id ";

/// Units by their identifiers, in the order of these. `places` says where each stands in the order in
/// which they were found, of which these are what follows `first`.
pub(crate) async fn read(
    tx: &mut Tx,
    ids: &[i64],
    (places, first): (&FxHashMap<i64, usize>, usize),
    names: &Mutex<Names>,
) -> Result<Vec<Unit>> {
    let mut units: Vec<Option<Unit>> = Vec::new();
    units.resize_with(ids.len(), || None);
    let (mut measures, mut several) = (FxHashMap::default(), Vec::new());
    // What was made together lies together.
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    let queries = ids.chunks(TOGETHER).map(|ids| {
        let mut sql = Sql::new(UNIT);
        sql.bind_near(ids);
        sql
    });
    tx.fetch_ahead(queries.collect(), |rows| {
        let mut names = names::hold(names);
        for row in rows {
            let place = places.get(&row.int(0)?).and_then(|place| place.checked_sub(first));
            let Some(place) = place.and_then(|place| units.get_mut(place)) else { continue };
            let unit = unit(&row, &mut names, &mut measures)?;
            if row.int(11)? != 0 {
                several.push(unit.id);
            }
            *place = Some(unit);
        }
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    for several in several.chunks(TOGETHER) {
        let mut sql =
            Sql::new("SELECT object_id, subject_id, quantity FROM trace_holding WHERE object_id ");
        sql.bind_ints(several.iter().copied()).push(" ORDER BY object_id, subject_id");
        let rows = tx.fetch(sql).await?;
        let mut names = names::hold(names);
        for row in rows {
            let place = places.get(&row.int(0)?).and_then(|place| place.checked_sub(first));
            if let Some(Some(unit)) = place.and_then(|place| units.get_mut(place)) {
                unit.parts.push((names.number(row.text(1)?), store::quantity(row.int(2)?)?));
            }
        }
    }
    let missing = || Problem::internal("a link to an object that is not there");
    units.into_iter().map(|unit| unit.ok_or_else(missing)).collect()
}

/// `measures` are the units of measurement that were read before.
fn unit(row: &Row, names: &mut Names, measures: &mut FxHashMap<String, UnitCode>) -> Result<Unit> {
    let measure = if let Some(known) = measures.get(row.text(4)?) {
        *known
    } else {
        let new = row.parsed(4)?;
        measures.insert(String::from(row.text(4)?), new);
        new
    };
    Ok(Unit {
        id: row.int(0)?,
        code: String::from(row.text(1)?),
        product: row.text_opt(2)?.map(|product| names.number(product)),
        lot: row.text_opt(3)?.map(String::from),
        measure,
        subject: names.number(row.text(5)?),
        parts: Vec::new(),
        stage: store::stage(row.text(6)?)?,
        produced: store::quantity(row.int(7)?)?,
        balance: store::quantity(row.int(8)?)?,
        state: store::state(row.text(9)?)?,
        quality: row.text_opt(10)?.map(store::quality).transpose()?,
        put_out: Vec::new(),
        reached: Ways::default(),
        left: false,
        role: None,
    })
}
