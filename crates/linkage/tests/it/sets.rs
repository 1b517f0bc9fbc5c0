//! The sets with known truth: what is found may not fall below `sets.toml`.

use arrow::array::{Array, LargeStringArray, RecordBatch};
use linkage::{Curve, Matching, Model, clusters, grouped_pairs, read_csv};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Sets {
    set: Vec<Set>,
}

#[derive(Deserialize)]
struct Set {
    name: String,
    files: Vec<String>,
    model: String,
    entity: String,
    part: Option<usize>,
    true_pairs: u64,
    precision: f64,
    recall: f64,
    /// F1 of clusters at this mean weight, for a table with itself.
    clusters: Option<(f64, f64)>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn truth(tables: &[RecordBatch], set: &Set) -> Vec<u32> {
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut all = Vec::new();
    for table in tables {
        let array = table.column_by_name(&set.entity).expect("the truth");
        let array: &LargeStringArray = array.as_any().downcast_ref().expect("a text");
        for row in 0..array.len() {
            let text = array.value(row);
            let text = set
                .part
                .map_or(text, |part| text.split('-').nth(part).unwrap_or_default());
            let next = numbers.len() as u32;
            all.push(*numbers.entry(text.to_owned()).or_insert(next));
        }
    }
    all
}

#[test]
fn every_set_is_matched_as_well_as_expected() {
    let folder = root().join("../shared/data/linkage");
    let sets: Sets = toml::from_str(include_str!("sets.toml")).expect("the figures are sound");
    for set in sets.set {
        let paths: Vec<PathBuf> = set.files.iter().map(|file| folder.join(file)).collect();
        if !paths.iter().all(|path| path.exists()) {
            println!("skipped: {} of the linkage sets is not there", set.name);
            continue;
        }
        let model = Model::load(&root().join("bench/linkage").join(&set.model)).expect("the model");
        let tables: Vec<RecordBatch> = paths.iter().map(|path| read_csv(path).expect("the set")).collect();
        let matching = match tables.as_slice() {
            [one] => Matching::within(&model, one, 2),
            [left, right] => Matching::between(&model, left, right, 2),
            _ => panic!("one table or two"),
        }
        .expect("the set fits");
        let (weights, _) = matching.train().expect("trained");
        let pairs = matching.pairs(&weights).expect("pairs");
        let truth = truth(&tables, &set);
        let first = if tables.len() > 1 { tables[0].num_rows() } else { 0 };
        let mut curve = Curve::new(set.true_pairs);
        for pair in &pairs {
            curve.add(
                f64::from(pair.weight),
                truth[pair.left as usize] == truth[first + pair.right as usize],
            );
        }
        let best = curve.best().expect("pairs");
        let (precision, recall) = (best.precision, best.recall);
        println!("{}: precision {precision:.4}, recall {recall:.4}", set.name);
        assert!(
            precision >= set.precision - 0.002 && recall >= set.recall - 0.002,
            "{} fell",
            set.name
        );
        if let Some((weight, expected)) = set.clusters {
            let (hits, made) = grouped_pairs(&clusters(truth.len(), &pairs, weight, model.floor), &truth);
            let f1 = 2.0 * hits as f64 / (made + set.true_pairs) as f64;
            println!("{}: F1 of clusters {f1:.4}", set.name);
            assert!(f1 >= expected - 0.003, "{} clusters fell to {f1}", set.name);
        }
    }
}
