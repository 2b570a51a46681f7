//! Texts that recur a thousand times in one answer, kept once and known by number.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

/// Texts by number, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Names {
    all: Vec<String>,
    numbers: FxHashMap<String, usize>,
}

impl Names {
    /// The number of a text, from now on.
    pub(crate) fn number(&mut self, text: &str) -> usize {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.all.len();
        self.all.push(String::from(text));
        self.numbers.insert(String::from(text), number);
        number
    }

    /// The text of a number that was given out; of any other nothing.
    pub(crate) fn text(&self, number: usize) -> &str {
        self.all.get(number).map_or("", String::as_str)
    }

    /// How many there are: every number is below.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

/// Texts that two readers of one answer have in common, while one of them takes what it read.
pub(crate) fn hold(names: &Mutex<Names>) -> MutexGuard<'_, Names> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}
