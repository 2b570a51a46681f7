//! `yuanjian ledger publish`: the log as plain files, from the ledger's own file while the platform
//! rests, or from what it publishes while it runs.

use std::path::Path;

use yj_kernel::{Problem, Result};
use yj_ledger::{Publication, Published, publish};
use yj_proof::{Hash, Note, tile::Tile};
use yj_witness::{Log, Unfetched};

/// A log that somebody else publishes.
struct Elsewhere(Log);

fn failed(why: &Unfetched) -> Problem {
    Problem::Unavailable(why.to_string())
}

impl Publication for Elsewhere {
    fn checkpoint(&self) -> Result<Option<Note>> {
        let text = match self.0.checkpoint() {
            Ok(text) => text,
            Err(Unfetched::Missing) => return Ok(None),
            Err(why) => return Err(failed(&why)),
        };
        let wrong = || Problem::Unavailable(format!("{} 给出的不是检查点", self.0.address()));
        Note::read(&text).map(Some).map_err(|_| wrong())
    }

    fn tile(&self, tile: Tile) -> Result<Vec<Hash>> {
        self.0.tile(tile).map_err(|why| failed(&why))
    }

    fn genesis(&self) -> Result<Vec<u8>> {
        self.0.genesis().map_err(|why| failed(&why))
    }
}

/// Writes the log that is published at an address into a folder. Everything is computed anew
/// before it is written.
pub fn publish_from(url: &str, folder: &Path) -> Result<Published> {
    let log = Log::at(url).map_err(|why| Problem::invalid("from", why))?;
    publish(&Elsewhere(log), folder)
}
