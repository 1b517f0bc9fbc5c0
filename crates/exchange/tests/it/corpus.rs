//! Every file of the fuzz corpus is refused or read without a panic, by the functions that cargo-fuzz calls.

#[path = "../../../../fuzz/src/lib.rs"]
mod targets;

use std::path::PathBuf;

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
            target(&std::fs::read(&file).unwrap());
        }
    }
}
