//! The tree over the entries, hashed as in RFC 9162 §2.1 (the same as RFC 6962): a leaf is the hash of an entry. Its root is
//! published; a short path proves to anybody that one entry, or the whole of an older tree, stands under it.
//!
//! The tree of `troad`'s log is another: it has all lines of a small batch in memory and is stamped as a whole. This one
//! grows with the ledger and is never in memory; the two share four lines of hashing, and their crates import each other in
//! neither direction.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// The leaf of an entry with this hash.
pub(super) fn leaf(entry: &Hash) -> Hash {
    let mut input = [0; 33];
    if let Some(rest) = input.last_chunk_mut() {
        *rest = *entry;
    }
    Sha256::digest(input).into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let hash = Sha256::new().chain_update([1]);
    hash.chain_update(left).chain_update(right).finalize().into()
}

/// A tree that grows leaf by leaf and keeps the roots of its whole parts only: at most 64 hashes.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    /// Level and root of each whole part, from the left; levels fall.
    parts: Vec<(u32, Hash)>,
}

impl Tree {
    pub(super) fn push(&mut self, leaf: Hash) {
        self.add(0, leaf);
    }

    /// Adds a whole part of `2^level` leaves; the leaves before it must be a multiple of that.
    pub(super) fn add(&mut self, mut level: u32, mut root: Hash) {
        while let Some((last, left)) = self.parts.last()
            && *last == level
        {
            root = node(left, &root);
            level += 1;
            self.parts.pop();
        }
        self.parts.push((level, root));
    }

    pub(super) fn root(&self) -> Hash {
        let mut parts = self.parts.iter().rev().map(|(_, root)| *root);
        match parts.next() {
            None => Sha256::digest([]).into(),
            Some(last) => parts.fold(last, |right, left| node(&left, &right)),
        }
    }
}

/// Largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// The parts whose roots prove leaf `index` (from 0) under the root of `size` leaves, from the leaf upwards.
pub(super) fn inclusion(index: u64, size: u64) -> Vec<Range<u64>> {
    let (mut from, mut to) = (0, size);
    let mut parts = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            parts.push(middle..to);
            to = middle;
        } else {
            parts.push(from..middle);
            from = middle;
        }
    }
    parts.reverse();
    parts
}

/// The parts whose roots prove that the tree of `old` leaves (at least 1) is the beginning of the tree of `new` leaves.
pub(super) fn consistency(old: u64, new: u64) -> Vec<Range<u64>> {
    let (mut from, mut to, mut parts) = (0, new, Vec::new());
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            parts.push(middle..to);
            to = middle;
        } else {
            parts.push(from..middle);
            from = middle;
        }
    }
    if from != 0 {
        parts.push(from..to);
    }
    parts.reverse();
    parts
}

/// The roots of some parts, from leaves that come in order.
pub(super) struct Parts {
    parts: Vec<(Range<u64>, Tree)>,
    /// Places in `parts`, by their first leaf.
    order: Vec<usize>,
    next: u64,
}

impl Parts {
    pub(super) fn new(ranges: Vec<Range<u64>>) -> Parts {
        let parts: Vec<_> = ranges.into_iter().map(|range| (range, Tree::default())).collect();
        let mut order: Vec<usize> = (0..parts.len()).collect();
        // The last comes first, so that what is done can be taken off the end.
        order.sort_by_key(|at| std::cmp::Reverse(parts.get(*at).map(|(range, _)| range.start)));
        Parts { parts, order, next: 0 }
    }

    pub(super) fn push(&mut self, leaf: impl FnOnce() -> Hash) {
        let at = self.next;
        self.next += 1;
        let Some((range, tree)) = self.order.last().and_then(|now| self.parts.get_mut(*now)) else {
            return;
        };
        if range.contains(&at) {
            tree.push(leaf());
            if self.next == range.end {
                self.order.pop();
            }
        }
    }

    /// The roots in the order in which the parts were given.
    pub(super) fn roots(self) -> Vec<Hash> {
        self.parts.into_iter().map(|(_, tree)| tree.root()).collect()
    }
}

/// The root that a path leads to (RFC 9162 §2.1.3.2); none where the path doesn't belong to this leaf of such a tree.
pub(super) fn climb(index: u64, size: u64, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut root) = (index, size - 1, leaf);
    for step in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            root = node(step, &root);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            root = node(&root, step);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(root)
}

/// Whether a path proves the tree `old` to be the beginning of the tree `new`, each size and root (RFC 9162 §2.1.4.2).
pub(super) fn extends(old: (u64, Hash), new: (u64, Hash), path: &[Hash]) -> bool {
    if old.0 == 0 || old.0 > new.0 {
        return false;
    }
    if old.0 == new.0 {
        return path.is_empty() && old.1 == new.1;
    }
    let whole = old.0.is_power_of_two().then_some(old.1);
    let mut path = whole.into_iter().chain(path.iter().copied());
    let Some(first) = path.next() else { return false };
    let (mut at, mut last) = (old.0 - 1, new.0 - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut before, mut after) = (first, first);
    for step in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            before = node(&step, &before);
            after = node(&step, &after);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            after = node(&after, &step);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && before == old.1 && after == new.1
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count)
            .map(|at| leaf(&Sha256::digest(at.to_be_bytes()).into()))
            .collect()
    }

    /// The definition of RFC 9162 §2.1.1, word by word.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [one] => *one,
            more => {
                let (left, right) = more.split_at(split(more.len() as u64) as usize);
                node(&defined(left), &defined(right))
            }
        }
    }

    fn root(leaves: &[Hash]) -> Hash {
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        tree.root()
    }

    fn roots(leaves: &[Hash], ranges: Vec<Range<u64>>) -> Vec<Hash> {
        let mut parts = Parts::new(ranges);
        leaves.iter().for_each(|leaf| parts.push(|| *leaf));
        parts.roots()
    }

    /// Leaves and roots of the tests of google/certificate-transparency (`merkletree/merkle_tree_test.cc`).
    #[test]
    fn the_roots_are_those_of_certificate_transparency() {
        let data = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let leaves = data.map(|data| Sha256::new().chain_update([0]).chain_update(hex::decode(data).unwrap()));
        let leaves = leaves.map(|leaf| Hash::from(leaf.finalize()));
        for (count, expected) in [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            assert_eq!(hex::encode(root(&leaves[..count])), expected, "{count}");
        }
    }

    #[test]
    fn a_tree_that_grows_has_the_root_of_the_definition() {
        for count in 0..70 {
            let leaves = leaves(count);
            assert_eq!(root(&leaves), defined(&leaves), "{count}");
        }
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proven_and_no_other() {
        for size in 1..40 {
            let leaves = leaves(size);
            for (index, one) in (0_u64..).zip(&leaves) {
                let path = roots(&leaves, inclusion(index, size));
                assert_eq!(climb(index, size, *one, &path), Some(root(&leaves)));
                assert_ne!(climb(index, size, [9; 32], &path), Some(root(&leaves)));
                assert_ne!(climb((index + 1) % size.max(2), size, *one, &path), Some(root(&leaves)));
            }
        }
    }

    #[test]
    fn every_small_tree_extends_its_beginnings() {
        for new in 1..40 {
            let leaves = leaves(new);
            for old in 1..=new {
                let path = roots(&leaves, consistency(old, new));
                let (before, after) = (root(&leaves[..old as usize]), root(&leaves));
                assert!(extends((old, before), (new, after), &path), "{old} of {new}");
                assert!(!extends((old, [1; 32]), (new, after), &path));
                assert!(!extends((old, before), (new, [1; 32]), &path));
            }
        }
    }

    proptest! {
        #[test]
        fn a_path_from_outside_never_panics(index: u64, size: u64, old: u64, path: Vec<[u8; 32]>) {
            climb(index, size, [0; 32], &path);
            prop_assert!(!extends((old, [0; 32]), (size, [1; 32]), &path) || old <= size);
        }
    }
}
