//! Every file of the fuzz corpus, and every file cut and altered a little, is refused or read without a panic, by the
//! functions that cargo-fuzz calls.

#[path = "../../../../fuzz/src/outside.rs"]
mod targets;

use std::path::PathBuf;

/// Alterations of each file: the same at every run.
const ALTERED: u64 = 60;

/// A number that looks random (SplitMix64).
fn scrambled(seed: u64) -> usize {
    let mut state = seed
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    usize::try_from((state ^ (state >> 27)) >> 33).unwrap()
}

fn altered(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.is_empty() {
        return bytes;
    }
    let at = scrambled(seed) % bytes.len();
    let some = scrambled(seed + 1000);
    match seed % 4 {
        0 => bytes[at] ^= 1 << (some % 8),
        1 => bytes[at] = [0, 0xff, 0x7f, 0x80, b'"', b'~', b'.', b'0'][some % 8],
        2 => bytes.truncate(at),
        _ => {
            let end = (at + 1 + some % 16).min(bytes.len());
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
    }
    bytes
}

#[test]
fn every_file_of_the_corpus_is_refused_or_read() {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let folder = corpus.join(name);
        let files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(files.len() >= 3, "{name} has {} files", files.len());
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            target(&bytes);
            for seed in 0..ALTERED {
                target(&altered(&bytes, seed));
            }
        }
    }
}
