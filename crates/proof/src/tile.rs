//! 哈希瓦片: the complete nodes of the log cut into files that never change, in the layout of
//! C2SP `tlog-tiles`. Whoever has a checkpoint can compose every proof from them, without asking
//! the log for an answer.
//!
//! A tile of level *n* holds up to 256 nodes of level 8 × *n*, from the left; those of a level are
//! numbered from the left too. Only hashes: what was submitted, by whom and how much, is nobody
//! else's (G-10.4).

use crate::{Hash, merkle};

/// Nodes of a full tile.
pub const WIDTH: u16 = 256;
/// Levels of nodes that one level of tiles covers.
const HEIGHT: u32 = 8;
/// The highest level of tiles that a log can have.
const LEVEL_MAX: u8 = 7;

/// One file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

/// Nodes of a level of tiles in a log of `size` leaves.
fn nodes(size: u64, level: u8) -> u64 {
    size >> (HEIGHT * u32::from(level))
}

impl Tile {
    /// The tile at a place in a log of `size` leaves, as wide as the log has made it; nothing
    /// where there is none yet.
    pub fn of(size: u64, level: u8, index: u64) -> Option<Self> {
        if level > LEVEL_MAX {
            return None;
        }
        let first = index.checked_mul(u64::from(WIDTH))?;
        let there = nodes(size, level).checked_sub(first).filter(|there| *there > 0)?;
        let width = u16::try_from(there).map_or(WIDTH, |there| there.min(WIDTH));
        Some(Self { level, index, width })
    }

    /// The tile of a log of `size` leaves from which the complete node `(level, index)` is
    /// composed, and with which of its nodes.
    pub fn under(size: u64, level: u32, index: u64) -> Option<(Self, std::ops::Range<usize>)> {
        let (tile_level, above) = (u8::try_from(level / HEIGHT).ok()?, level % HEIGHT);
        let first = index.checked_mul(1 << above)?;
        let tile = Self::of(size, tile_level, first / u64::from(WIDTH))?;
        let from = usize::try_from(first % u64::from(WIDTH)).ok()?;
        let to = from + (1 << above);
        (to <= usize::from(tile.width)).then_some((tile, from..to))
    }

    /// Everything that a log of `size` leaves has and one of `old` leaves did not have, in full
    /// width; in the order in which it may be written.
    pub fn grown(old: u64, size: u64) -> impl Iterator<Item = Self> {
        (0..=LEVEL_MAX).flat_map(move |level| {
            let (first, end) = (nodes(old, level) / 256, nodes(size, level).div_ceil(256));
            (first..end).filter_map(move |index| Self::of(size, level, index))
        })
    }

    /// Whether it will never change.
    pub fn is_full(self) -> bool {
        self.width == WIDTH
    }

    /// How many nodes it holds.
    pub fn width(self) -> u16 {
        self.width
    }

    /// The same place when its 256 nodes are complete.
    #[must_use]
    pub fn full(self) -> Self {
        Self { width: WIDTH, ..self }
    }

    /// Its nodes: their level and the number of the first.
    pub fn nodes(self) -> (u32, u64) {
        (HEIGHT * u32::from(self.level), self.index * u64::from(WIDTH))
    }

    /// Whether a log of `size` leaves can give it.
    pub fn is_in(self, size: u64) -> bool {
        Self::of(size, self.level, self.index).is_some_and(|there| there.width >= self.width)
    }

    /// Its name below `tile/`: level, then the number in groups of three digits, such as
    /// `0/x001/x234/067` or `1/000.p/5`.
    pub fn path(self) -> String {
        let digits = self.index.to_string();
        let digits = format!("{}{digits}", "0".repeat((3 - digits.len() % 3) % 3));
        let groups = digits.len() / 3;
        let mut path = self.level.to_string();
        for (number, group) in digits.as_bytes().chunks(3).enumerate() {
            path.push_str(if number + 1 < groups { "/x" } else { "/" });
            path.extend(group.iter().map(|digit| char::from(*digit)));
        }
        if !self.is_full() {
            path.push_str(".p/");
            path.push_str(&self.width.to_string());
        }
        path
    }

    /// Reads such a name; only the one way of writing it is taken.
    pub fn read(path: &str) -> Option<Self> {
        // Longer than any name.
        if path.len() > 48 {
            return None;
        }
        let (level, rest) = path.split_once('/')?;
        let (number, width) = match rest.split_once(".p/") {
            None => (rest, WIDTH),
            Some((number, width)) => (number, width.parse().ok().filter(|width| *width < WIDTH)?),
        };
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let tile = Self { level: level.parse().ok()?, index: digits.parse().ok()?, width };
        let first = tile.index.checked_mul(u64::from(WIDTH));
        let sound = tile.level <= LEVEL_MAX && width > 0 && first.is_some();
        (sound && tile.path() == path).then_some(tile)
    }

    /// Its bytes as hashes; nothing where they are not as many as it holds.
    pub fn hashes(self, bytes: &[u8]) -> Option<Vec<Hash>> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        (rest.is_empty() && hashes.len() == usize::from(self.width)).then(|| hashes.to_vec())
    }
}

/// A complete node of a log of `size` leaves, composed of tiles. `fetch` gives the nodes of a tile;
/// `missing` says that it gave none that would do.
pub fn node<E>(
    (size, level, index): (u64, u32, u64),
    fetch: &mut impl FnMut(Tile) -> Result<Vec<Hash>, E>,
    missing: impl FnOnce() -> E,
) -> Result<Hash, E> {
    let Some((tile, range)) = Tile::under(size, level, index) else { return Err(missing()) };
    fetch(tile)?.get(range).map(merkle::root).ok_or_else(missing)
}

/// The root of a log of `size` leaves, composed of tiles.
pub fn root<E>(
    size: u64,
    fetch: &mut impl FnMut(Tile) -> Result<Vec<Hash>, E>,
    missing: impl Fn() -> E,
) -> Result<Hash, E> {
    let mut peaks = Vec::new();
    for level in (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1) {
        // The leaves of the larger peaks stand to the left of it.
        let index = (size >> level) - 1;
        peaks.push(node((size, level, index), fetch, &missing)?);
    }
    merkle::Frontier::restore(size, peaks).map(|frontier| frontier.root()).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn names_are_those_of_tlog_tiles_and_no_other_is_read() {
        let tile = |level, index, width| Tile { level, index, width };
        for (tile, path) in [
            (tile(0, 0, 256), "0/000"),
            (tile(0, 1_234_067, 256), "0/x001/x234/067"),
            (tile(1, 5, 1), "1/005.p/1"),
            (tile(2, 1_000, 255), "2/x001/000.p/255"),
        ] {
            assert_eq!(tile.path(), path);
            assert_eq!(Tile::read(path), Some(tile));
        }
        for wrong in [
            "",
            "0",
            "0/",
            "0/0",
            "0/0000",
            "0/x000/001",
            "0/001/234",
            "8/000",
            "00/000",
            "+0/000",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000.p/",
            "0/000.p",
            "0/../000",
            "0/x001",
            "0/x184/x467/x440/x737/x095/x516/150",
            "0/\u{661}00",
        ] {
            assert_eq!(Tile::read(wrong), None, "{wrong}");
        }
    }

    /// Every complete node of a log, and its root at some sizes.
    fn log(sizes: &[u64]) -> (BTreeMap<(u32, u64), Hash>, BTreeMap<u64, Hash>) {
        let (mut nodes, mut roots) = (BTreeMap::new(), BTreeMap::new());
        let mut frontier = merkle::Frontier::default();
        for leaf in 0..sizes.iter().copied().max().unwrap_or(0) {
            frontier.append(merkle::leaf(&leaf.to_be_bytes()), |level, index, hash| {
                nodes.insert((level, index), *hash);
            });
            if sizes.contains(&frontier.size()) {
                roots.insert(frontier.size(), frontier.root());
            }
        }
        (nodes, roots)
    }

    #[test]
    fn tiles_of_any_size_give_every_root_and_every_growth() {
        let sizes = [1, 2, 255, 256, 257, 300, 511, 65_000, 65_536, 65_537, 66_000];
        let (stored, roots) = log(&sizes);
        for size in sizes {
            let mut files = BTreeMap::new();
            for tile in Tile::grown(0, size) {
                assert!(tile.is_in(size) && tile.is_in(66_000));
                let (level, first) = tile.nodes();
                let nodes = (first..first + u64::from(tile.width())).map(|at| stored[&(level, at)]);
                files.insert(tile, nodes.collect::<Vec<_>>());
            }
            let mut fetch = |tile| files.get(&tile).cloned().ok_or(tile);
            let missing = || Tile { level: 0, index: 0, width: 0 };
            assert_eq!(root(size, &mut fetch, missing), Ok(roots[&size]), "{size}");
            for old in sizes.into_iter().filter(|old| *old <= size) {
                let path = merkle::consistency_path(old, size, |level, index| {
                    node((size, level, index), &mut fetch, missing)
                });
                let ends = ((old, roots[&old]), (size, roots[&size]));
                assert!(merkle::is_consistent(ends.0, ends.1, &path.unwrap()), "{old} {size}");
            }
        }
    }

    #[test]
    fn growing_names_what_changed_and_nothing_else() {
        let names = |old, new| Tile::grown(old, new).map(Tile::path).collect::<Vec<_>>();
        assert_eq!(names(0, 1), ["0/000.p/1"]);
        assert_eq!(names(1, 1), ["0/000.p/1"]);
        assert_eq!(names(255, 258), ["0/000", "0/001.p/2", "1/000.p/1"]);
        assert_eq!(names(512, 513), ["0/002.p/1", "1/000.p/2"]);
        assert_eq!(Tile::of(512, 0, 2), None);
        assert_eq!(Tile::of(u64::MAX, 7, 0).unwrap().width(), 255);
    }
}
