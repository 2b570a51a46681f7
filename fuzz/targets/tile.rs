//! Names of tiles as they are asked for, and the sizes of logs that may have them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yj_proof::tile::{self, Tile};

fuzz_target!(|text: &str| {
    let mut words = text.split(' ');
    let name = words.next().unwrap_or_default();
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
    let (size, level, index) = (number(), number(), number());
    if let Some(tile) = Tile::read(name) {
        assert_eq!(tile.path(), name);
        assert_eq!(Tile::read(&tile.full().path()), Some(tile.full()));
        let bytes = vec![7; usize::from(tile.width()) * 32];
        assert_eq!(tile.hashes(&bytes).map(|hashes| hashes.len()), Some(tile.width().into()));
        assert_eq!(tile.hashes(&bytes[1..]), None);
        let (_, first) = tile.nodes();
        assert!(first.checked_add(u64::from(tile.width()) - 1).is_some());
        if size.is_some_and(|size| !tile.is_in(size)) {
            assert!(!tile.full().is_in(size.unwrap()));
        }
    }
    let Some(size) = size else { return };
    let mut fetch = |tile: Tile| {
        assert!(tile.is_in(size));
        assert_eq!(Tile::read(&tile.path()), Some(tile));
        Ok::<_, ()>(vec![[7; 32]; tile.width().into()])
    };
    if size > 0 {
        assert!(tile::root(size, &mut fetch, || ()).is_ok());
    }
    if let (Some(level), Some(index)) = (level.and_then(|level| u32::try_from(level).ok()), index) {
        let there = u64::BITS > level && index < size >> level;
        assert_eq!(tile::node((size, level, index), &mut fetch, || ()).is_ok(), there);
    }
});
