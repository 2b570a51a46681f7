//! The RFC 6962 / RFC 9162 Merkle log over SM3: roots, inclusion and consistency proofs.
//!
//! A *node* `(level, index)` is complete: it covers the `2^level` leaves from `index × 2^level`.
//! Stores keep complete nodes only; everything else is composed of them.

use yj_crypto::sm3;

use crate::Hash;

/// Hash of one leaf.
pub fn leaf(bytes: &[u8]) -> Hash {
    sm3::parts(&[&[0], bytes])
}

/// Hash of two children.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    sm3::parts(&[&[1], left, right])
}

/// Root of an empty log.
pub fn empty_root() -> Hash {
    sm3::digest(&[])
}

/// The right edge of a log: all that is needed to append to it and to know its root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees from left to right, largest first; one for each 1 in the
    /// binary form of `size`.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The frontier of a stored log. `None` when the peaks do not fit the size.
    pub fn restore(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// Leaves so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the complete subtrees, for storing.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends a leaf hash and reports every complete node that came into being, leaf first.
    pub fn append(&mut self, leaf: Hash, mut completed: impl FnMut(u32, u64, &Hash)) {
        let (mut hash, mut index) = (leaf, self.size);
        completed(0, index, &hash);
        for level in 1..=self.size.trailing_ones() {
            // As many peaks as trailing ones: RFC 6962 merges equal sizes.
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
                index >>= 1;
                completed(level, index, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root of the log as it stands.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(&last) = peaks.next() else { return empty_root() };
        peaks.fold(last, |right, left| node(left, &right))
    }
}

/// Root over leaf hashes.
pub fn root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.append(*leaf, |_, _, _| {});
    }
    frontier.root()
}

/// Largest power of two below `size` (`size` > 1).
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// Root over the leaves from `start` to `end`, composed of complete nodes. `start` must be a
/// multiple of the largest power of two in the range, as it is in all proofs.
fn range<E>(
    (start, end): (u64, u64),
    nodes: &mut impl FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let size = end - start;
    if size.is_power_of_two() {
        let level = size.trailing_zeros();
        return nodes(level, start >> level);
    }
    let middle = start + split(size);
    Ok(node(&range((start, middle), nodes)?, &range((middle, end), nodes)?))
}

/// The root of a log of `size` leaves, composed of complete nodes.
pub fn root_at<E>(
    size: u64,
    mut nodes: impl FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Hash, E> {
    if size == 0 { Ok(empty_root()) } else { range((0, size), &mut nodes) }
}

/// The path that proves leaf `index` in a log of `size` leaves; empty when `index` is not in it.
pub fn inclusion_path<E>(
    index: u64,
    size: u64,
    mut nodes: impl FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let mut path = Vec::new();
    if index >= size {
        return Ok(path);
    }
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range((middle, end), &mut nodes)?);
            end = middle;
        } else {
            path.push(range((start, middle), &mut nodes)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The same for leaves held in memory.
pub fn inclusion_path_of(leaves: &[Hash], index: u64) -> Vec<Hash> {
    let size = leaves.len() as u64;
    let nodes = |level: u32, index: u64| {
        let start = usize::try_from(index << level).unwrap_or(usize::MAX);
        let end = start.saturating_add(1 << level);
        Ok::<_, std::convert::Infallible>(leaves.get(start..end).map_or_else(empty_root, root))
    };
    match inclusion_path(index, size, nodes) {
        Ok(path) => path,
        Err(never) => match never {},
    }
}

/// The root that a path leads to from a leaf (RFC 9162 §2.1.3.2); `None` when the path does not
/// fit index and size.
pub fn root_from_path(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// The proof that the log of `old` leaves is a prefix of the log of `new` leaves (RFC 9162
/// §2.1.4.1).
pub fn consistency_path<E>(
    old: u64,
    new: u64,
    mut nodes: impl FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let mut path = Vec::new();
    if old == 0 || old >= new {
        return Ok(path);
    }
    let (mut start, mut end, mut whole) = (0, new, true);
    while end != old || start != 0 {
        if old == end {
            break;
        }
        let middle = start + split(end - start);
        if old <= middle {
            path.push(range((middle, end), &mut nodes)?);
            end = middle;
        } else {
            path.push(range((start, middle), &mut nodes)?);
            start = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(range((start, end), &mut nodes)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether `path` proves that the log with `old_root` grew into the log with `new_root`.
pub fn is_consistent(
    (old, old_root): (u64, Hash),
    (new, new_root): (u64, Hash),
    path: &[Hash],
) -> bool {
    if old == new {
        return path.is_empty() && old_root == new_root;
    }
    if old == 0 || old > new {
        return old == 0 && path.is_empty();
    }
    let mut path = path.iter().copied();
    let start = if old.is_power_of_two() { Some(old_root) } else { path.next() };
    let Some(start) = start else { return false };
    let shift = (old - 1).trailing_ones();
    let (mut at, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut from_old, mut from_new) = (start, start);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            from_old = node(&sibling, &from_old);
            from_new = node(&sibling, &from_new);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node(&from_new, &sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && from_old == old_root && from_new == new_root
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|number| leaf(&number.to_be_bytes())).collect()
    }

    /// RFC 6962 §2.1, word for word.
    fn root_by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [one] => *one,
            many => {
                let (left, right) =
                    many.split_at(usize::try_from(split(many.len() as u64)).unwrap());
                node(&root_by_definition(left), &root_by_definition(right))
            }
        }
    }

    fn stored(leaves: &[Hash]) -> impl FnMut(u32, u64) -> Result<Hash, String> {
        let (mut nodes, mut frontier) = (std::collections::BTreeMap::new(), Frontier::default());
        for leaf in leaves {
            frontier.append(*leaf, |level, index, hash| {
                nodes.insert((level, index), *hash);
            });
        }
        move |level, index| nodes.get(&(level, index)).copied().ok_or(format!("{level} {index}"))
    }

    #[test]
    fn every_leaf_of_every_small_log_can_be_proved() {
        for size in 1..=130 {
            let leaves = leaves(size);
            let root = root(&leaves);
            assert_eq!(root, root_by_definition(&leaves));
            let mut nodes = stored(&leaves);
            for index in 0..size {
                let path = inclusion_path(index, size, &mut nodes).unwrap();
                let leaf = leaves[usize::try_from(index).unwrap()];
                assert_eq!(root_from_path(leaf, index, size, &path), Some(root));
                if size > 1 {
                    assert_ne!(root_from_path(leaf, (index + 1) % size, size, &path), Some(root));
                }
            }
        }
    }

    #[test]
    fn every_growth_of_every_small_log_can_be_proved() {
        for new in 1..=70 {
            let all = leaves(new);
            let mut nodes = stored(&all);
            for old in 1..=new {
                let old_root = root(&all[..usize::try_from(old).unwrap()]);
                let path = consistency_path(old, new, &mut nodes).unwrap();
                assert!(is_consistent((old, old_root), (new, root(&all)), &path), "{old} {new}");
                assert!(!is_consistent((old, leaf(b"x")), (new, root(&all)), &path));
                assert!(!is_consistent((old, old_root), (new, leaf(b"x")), &path));
            }
        }
    }

    proptest! {
        #[test]
        fn a_changed_path_leads_elsewhere(size in 2u64..3000, at in any::<u64>(), flip in any::<usize>()) {
            let leaves = leaves(size);
            let index = at % size;
            let mut path = inclusion_path_of(&leaves, index);
            let leaf = leaves[usize::try_from(index).unwrap()];
            prop_assert_eq!(root_from_path(leaf, index, size, &path), Some(root(&leaves)));
            let (place, count) = (flip / 32, path.len());
            path[place % count][flip % 32] ^= 1;
            prop_assert_ne!(root_from_path(leaf, index, size, &path), Some(root(&leaves)));
        }
    }
}
