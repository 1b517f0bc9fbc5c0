//! Every file of the fuzz corpus of the road is refused or read without a panic, by the functions that cargo-fuzz calls; each also
//! with one byte changed at every place.

#[path = "../../../../fuzz/src/road.rs"]
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
            let bytes = std::fs::read(&file).unwrap();
            target(&bytes);
            for at in 0..bytes.len() {
                let mut altered = bytes.clone();
                altered[at] ^= 0x80 | (1 << (at % 7));
                target(&altered);
                target(&bytes[..at]);
            }
        }
    }
}

#[test]
fn a_whole_head_is_read_up_to_its_service() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/road_head/whole");
    let dialect = troad::dialect::Dialect::default();
    let read = troad::outside::read_head(&dialect, &std::fs::read(file).unwrap());
    assert_eq!(read.unwrap(), "TW/GOV/A01000000A/registers/household");
}
