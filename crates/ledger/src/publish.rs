//! 公布存证日志: checkpoint, hash tiles and genesis as files that anybody may copy and no store
//! between needs to ask for again.
//!
//! Hash tiles only. The submissions themselves name organisations and how many records each sent,
//! which is nobody else's business (G-10.4); a witness needs none of it.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use yj_kernel::{Problem, Result};
use yj_proof::{Checkpoint, Hash, Note, merkle, tile, tile::Tile};

use crate::Ledger;

/// Where a published log comes from.
pub trait Publication {
    /// The newest signed checkpoint; nothing before the first block.
    fn checkpoint(&self) -> Result<Option<Note>>;
    /// The nodes of a tile.
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>>;
    /// The bytes of the beginning of the chain.
    fn genesis(&self) -> Result<Vec<u8>>;
}

impl Publication for Ledger {
    fn checkpoint(&self) -> Result<Option<Note>> {
        self.signed_checkpoint()
    }

    fn tile(&self, tile: Tile) -> Result<Vec<Hash>> {
        let size = self.checkpoint()?.map_or(0, |checkpoint| checkpoint.size);
        if !tile.is_in(size) {
            return Err(Problem::NotFound("瓦片"));
        }
        let (level, first) = tile.nodes();
        self.store().of_nodes(|nodes| {
            (first..first + u64::from(tile.width())).map(|index| nodes(level, index)).collect()
        })
    }

    fn genesis(&self) -> Result<Vec<u8>> {
        Ok(self.genesis().0)
    }
}

/// What a run wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Submissions that the published log now has.
    pub size: u64,
    /// Tiles written by this run.
    pub tiles: usize,
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Problem {
    move |error| Problem::internal(format!("{}: {error}", path.display()))
}

/// Writes a log into a folder, under the paths of its routes. Only what is new is written, each
/// file whole, the checkpoint last: whoever reads it finds everything that it stands on. A folder
/// that holds another chain, or one from which this log did not grow, is left alone.
pub fn publish(source: &dyn Publication, folder: &Path) -> Result<Published> {
    let note = source
        .checkpoint()?
        .ok_or_else(|| Problem::Conflict(String::from("还没有区块，没有可公布的检查点")))?;
    let (ledger, checkpoint) = (folder.join("ledger"), &note.checkpoint);
    let written = ledger.join("checkpoint");
    let before = before(&written)?;
    require_grown(source, before.as_ref(), checkpoint)?;
    let old = before.as_ref().map_or(0, |checkpoint| checkpoint.size);
    let mut tiles = 0;
    if before.as_ref() != Some(checkpoint) {
        write(&ledger.join("genesis"), &source.genesis()?)?;
        for tile in Tile::grown(old, checkpoint.size) {
            let path = ledger.join("tile").join(tile.path());
            write(&path, &source.tile(tile)?.concat())?;
            tiles += 1;
            if tile.is_full() {
                // The narrower ones that it takes the place of.
                let narrow = path.with_extension("p");
                if narrow.exists() {
                    fs::remove_dir_all(&narrow).map_err(failed(&narrow))?;
                }
            }
        }
    }
    // Also where only countersignatures are new.
    write(&written, note.to_text().as_bytes())?;
    Ok(Published { size: checkpoint.size, tiles })
}

/// What the folder holds so far.
fn before(path: &Path) -> Result<Option<Checkpoint>> {
    match fs::read_to_string(path) {
        Ok(text) => Note::read(&text)
            .map(|note| Some(note.checkpoint))
            .map_err(|_| Problem::Conflict(format!("{} 不是检查点，请换一个目录", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path)(error)),
    }
}

/// What was published stays true: nothing is written over it that did not grow from it.
fn require_grown(
    source: &dyn Publication,
    before: Option<&Checkpoint>,
    now: &Checkpoint,
) -> Result<()> {
    let mut fetch = |tile| source.tile(tile);
    let missing = || Problem::internal("a tile lacks nodes");
    if tile::root(now.size, &mut fetch, missing)? != now.root {
        return Err(Problem::internal("the tiles do not give the root of the checkpoint"));
    }
    let Some(before) = before else { return Ok(()) };
    let path = merkle::consistency_path(before.size, now.size, |level, index| {
        tile::node((now.size, level, index), &mut fetch, missing)
    })?;
    let grown = before.origin == now.origin
        && merkle::is_consistent((before.size, before.root), (now.size, now.root), &path);
    if grown {
        return Ok(());
    }
    Err(Problem::Conflict(format!(
        "目录中已公布 {} 的 {} 条，现有日志（{}，{} 条）不是由它增长而来，未作改动",
        before.origin, before.size, now.origin, now.size
    )))
}

/// Writes a file that is there whole or not at all, also after a crash.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().map_or_else(PathBuf::new, PathBuf::from);
    fs::create_dir_all(&folder).map_err(failed(&folder))?;
    let fresh = folder.join(".fresh");
    let mut file = File::create(&fresh).map_err(failed(&fresh))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed(&fresh))?;
    fs::rename(&fresh, path).map_err(failed(path))?;
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(failed(&folder))
}
