//! The tree over a batch of lines, hashed as in RFC 9162 §2.1: SHA-256 of `00 ‖ line` for a leaf, of `01 ‖ left ‖ right` above.
//! One token over its root covers every line, and a short path proves it for one line alone.

use ring::digest::{Context, SHA256};

/// A SHA-256.
pub type Hash = [u8; 32];

fn hash(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// Plain SHA-256 of a line: what the next line names.
#[must_use]
pub fn line_hash(line: &[u8]) -> Hash {
    hash(&[line])
}

/// Leaf of a line.
#[must_use]
pub fn leaf(line: &[u8]) -> Hash {
    hash(&[&[0], line])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    hash(&[&[1], left, right])
}

/// Largest power of two below `count`, which is at least 2.
fn split(count: usize) -> usize {
    let mut half = 1;
    while half * 2 < count {
        half *= 2;
    }
    half
}

/// Root of a tree; none for no leaves.
#[must_use]
pub fn root(leaves: &[Hash]) -> Option<Hash> {
    match leaves {
        [] => None,
        [one] => Some(*one),
        more => {
            let (left, right) = more.split_at(split(more.len()));
            Some(node(&root(left)?, &root(right)?))
        }
    }
}

/// A step from a leaf to the root: on which side the neighbour stands, and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The neighbour is on the left.
    Left(Hash),
    /// The neighbour is on the right.
    Right(Hash),
}

/// The path of leaf number `at`, from the leaf upwards.
#[must_use]
pub fn path(leaves: &[Hash], at: usize) -> Option<Vec<Step>> {
    if leaves.len() <= 1 {
        return (at < leaves.len()).then(Vec::new);
    }
    let half = split(leaves.len());
    let (left, right) = leaves.split_at(half);
    let (mut steps, last) = match at < half {
        true => (path(left, at)?, Step::Right(root(right)?)),
        false => (path(right, at - half)?, Step::Left(root(left)?)),
    };
    steps.push(last);
    Some(steps)
}

/// The root a path leads to.
#[must_use]
pub fn climb(leaf: Hash, steps: &[Step]) -> Hash {
    steps.iter().fold(leaf, |now, step| match step {
        Step::Left(left) => node(left, &now),
        Step::Right(right) => node(&now, right),
    })
}

/// The path as text: `left <hex>` or `right <hex>` a line.
#[must_use]
pub fn path_text(steps: &[Step]) -> String {
    let line = |step: &Step| match step {
        Step::Left(hash) => format!("left {}\n", hex::encode(hash)),
        Step::Right(hash) => format!("right {}\n", hex::encode(hash)),
    };
    steps.iter().map(line).collect()
}

/// The text a batch is stamped as.
#[must_use]
pub fn batch_text(first: u64, last: u64, count: u64, root: &str) -> String {
    format!("batch of the message log, form 1\nfirst: {first}\nlast: {last}\ncount: {count}\nroot: {root}\n")
}

/// The manifest a batch's token covers.
#[must_use]
pub fn batch_manifest(batch: &str) -> String {
    let signature = ("META-INF/timestamp.tst", "application/vnd.etsi.timestamp-token");
    crate::statement::manifest(signature, "batch.txt", batch.as_bytes())
}
