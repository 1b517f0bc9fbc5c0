//! Verifying an exported ledger on all cores, in memory that does not grow with it.
//!
//! Every entry carries its hash, so a block of them is checked knowing no more than the hash before it: blocks go to
//! whichever thread is free and come back in any order; their results are taken in the order of the ledger, so that the
//! first fault is the one that is told.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError, mpsc};

use super::merkle::{self, Hash, Tree};
use super::transfer::{ENTRY, NAME, entry, fill, take};
use super::verify::{Digests, Expected, Published, follows};
use super::{Fault, Head, Verified};

/// Longest text; the program writes none longer.
const TEXT: u32 = 1 << 20;
/// Most texts; a city has some thousands.
const TEXTS: usize = 1 << 22;
/// Level of a block in the tree.
const LEVEL: u32 = 12;
/// Entries of a block.
const BLOCK: usize = 1 << LEVEL;
/// An entry with its letter.
const RECORD: usize = ENTRY + 1;
/// Letter, number and hash that end the file.
const END: usize = 1 + 8 + 32;

/// Entries that stand together, and what stands before them.
struct Block {
    number: u64,
    before: Head,
    records: Vec<u8>,
    /// Whether something published lies within, so that each leaf is wanted.
    leaf_by_leaf: bool,
}

/// A block that holds together.
enum Sound {
    Whole(Hash),
    Leaves(Vec<(Head, Hash)>),
}

/// Verifies a file made by [`super::export`] and compares it with what was published earlier. Blocks; call it from a
/// thread of its own.
///
/// # Errors
/// The first fault found.
pub fn verify_file(path: &Path, published: impl IntoIterator<Item = Published>) -> Result<Verified, Fault> {
    let published: Vec<Published> = published.into_iter().collect();
    let file = File::open(path).map_err(|error| Fault::File(format!("{}: {error}", path.display())))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut name = [0; NAME.len()];
    fill(&mut reader, &mut name)?;
    if name != NAME {
        return Err(Fault::File("this is not a ledger file of a known version".into()));
    }
    let mut digests = Digests::default();
    let first = loop {
        match take::<1>(&mut reader)? {
            [b'W'] if digests.len() < TEXTS => {
                let (id, text) = word(&mut reader)?;
                digests.insert(id, &text);
            }
            [b'W'] => return Err(Fault::File(format!("more than {TEXTS} texts"))),
            other => break other,
        }
    };
    let mut reader = first.as_slice().chain(reader);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (jobs, waiting) = mpsc::channel::<Block>();
    let (done, results) = mpsc::channel();
    let waiting = Mutex::new(waiting);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (waiting, digests, done) = (&waiting, &digests, done.clone());
            scope.spawn(move || {
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    // Either end is closed when a fault was found: nobody waits for more.
                    let Ok(block) = next else { return };
                    let sound = check(&block, digests);
                    if done.send((block.number, sound, block.records)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut order = InOrder {
            expected: Expected::new(&published),
            tree: Tree::default(),
            next: 0,
            early: BTreeMap::new(),
        };
        let verified = feed(&mut reader, jobs, &results, &mut order, threads * 2 + 2);
        drop(results);
        verified
    })
}

fn word(reader: &mut impl Read) -> Result<(u64, String), Fault> {
    let id = u64::from_be_bytes(take(reader)?);
    let length = u32::from_be_bytes(take(reader)?);
    if length > TEXT {
        return Err(Fault::File(format!("text {id} is too long")));
    }
    let mut text = vec![0; length as usize];
    fill(reader, &mut text)?;
    let text = String::from_utf8(text).map_err(|_| Fault::File(format!("text {id} is not UTF-8")))?;
    Ok((id, text))
}

type Checked = (u64, Result<Sound, Fault>, Vec<u8>);

/// Reads blocks and hands them out, at most `most` at a time, and takes what comes back.
fn feed(
    reader: &mut impl Read,
    jobs: mpsc::Sender<Block>,
    results: &mpsc::Receiver<Checked>,
    order: &mut InOrder,
    most: usize,
) -> Result<Verified, Fault> {
    let lost = || Fault::File("a thread that checked it ended; try again".into());
    let (mut out, mut number, mut before) = (0_usize, 0_u64, Head::EMPTY);
    let mut spare: Vec<Vec<u8>> = Vec::new();
    order.expected.meet(before, &order.tree)?;
    let end = loop {
        while out >= most {
            let checked = results.recv().map_err(|_| lost())?;
            out -= 1;
            spare.push(order.take(checked)?);
        }
        let mut records = spare.pop().unwrap_or_default();
        records.clear();
        reader
            .by_ref()
            .take((RECORD * BLOCK) as u64)
            .read_to_end(&mut records)
            .map_err(|error| Fault::File(error.to_string()))?;
        let whole = records.chunks_exact(RECORD);
        let entries = whole.take_while(|record| record.first() == Some(&b'E')).count();
        let end = (entries < BLOCK).then(|| records.split_off(entries * RECORD));
        if let Some(last) = records.last_chunk::<32>() {
            let to = before.seq + entries as u64;
            let last = Head { seq: to, hash: *last };
            let block = Block {
                number,
                before,
                leaf_by_leaf: entries < BLOCK || order.expected.any(before.seq + 1, to),
                records,
            };
            before = last;
            jobs.send(block).map_err(|_| lost())?;
            (number, out) = (number + 1, out + 1);
        }
        if let Some(end) = end {
            break end;
        }
    };
    drop(jobs);
    for _ in 0..out {
        order.take(results.recv().map_err(|_| lost())?)?;
    }
    let stated = stated(&end)?;
    order.expected.finish(before.seq)?;
    if before != stated {
        return Err(Fault::File("its head is not that of its last entry".into()));
    }
    Ok(Verified {
        entries: before.seq,
        head: before,
        root: order.tree.root(),
    })
}

/// The head that ends the file, and nothing but it.
fn stated(mut end: &[u8]) -> Result<Head, Fault> {
    let length = end.len();
    match end.split_off_first() {
        None => return Err(Fault::File("it ends before its head; it was cut off".into())),
        Some(b'E') => return Err(Fault::File("it ends within an entry; it was cut off".into())),
        Some(b'W') => return Err(Fault::File("a text follows the entries".into())),
        Some(b'H') if length < END => return Err(Fault::File("it ends within its head; it was cut off".into())),
        Some(b'H') if length > END => return Err(Fault::File("something follows the head".into())),
        Some(b'H') => {}
        Some(_) => return Err(Fault::File("unknown kind of record".into())),
    }
    Ok(Head {
        seq: u64::from_be_bytes(take(&mut end)?),
        hash: take(&mut end)?,
    })
}

fn check(block: &Block, digests: &Digests) -> Result<Sound, Fault> {
    let (mut before, mut tree) = (block.before, Tree::default());
    let mut leaves = Vec::with_capacity(if block.leaf_by_leaf { BLOCK } else { 0 });
    for record in block.records.chunks_exact(RECORD) {
        let link = entry(&mut record.get(1..).unwrap_or_default())?;
        follows(&before, &link, digests)?;
        before = Head {
            seq: link.seq,
            hash: link.hash,
        };
        let leaf = merkle::leaf(&link.hash);
        if block.leaf_by_leaf {
            leaves.push((before, leaf));
        } else {
            tree.push(leaf);
        }
    }
    Ok(match block.leaf_by_leaf {
        true => Sound::Leaves(leaves),
        false => Sound::Whole(tree.root()),
    })
}

/// Takes the results in the order of the blocks.
struct InOrder {
    expected: Expected,
    tree: Tree,
    next: u64,
    early: BTreeMap<u64, Result<Sound, Fault>>,
}

impl InOrder {
    /// Takes a result and whatever waited for it; gives the block's memory back.
    fn take(&mut self, (number, sound, records): Checked) -> Result<Vec<u8>, Fault> {
        self.early.insert(number, sound);
        while let Some(sound) = self.early.remove(&self.next) {
            self.next += 1;
            match sound? {
                Sound::Whole(root) => self.tree.add(LEVEL, root),
                Sound::Leaves(leaves) => {
                    for (head, leaf) in leaves {
                        self.tree.push(leaf);
                        self.expected.meet(head, &self.tree)?;
                    }
                }
            }
        }
        Ok(records)
    }
}
