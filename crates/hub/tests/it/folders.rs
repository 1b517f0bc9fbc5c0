//! Every dataset folder of the repository: it has no mistakes, and its sample gives what is written beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hub::{Dataset, Outcome, check};
use serde::Deserialize;

use crate::kit::{City, KEY};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    file: String,
    read: u64,
    rows: u64,
    rejected: u64,
    #[serde(default)]
    superseded: u64,
    #[serde(default)]
    reasons: BTreeMap<String, u64>,
    #[serde(default)]
    warnings: BTreeMap<String, u64>,
}

fn folders() -> Vec<PathBuf> {
    Dataset::folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets"))
}

#[test]
fn every_folder_is_sound() {
    let folders = folders();
    assert!(folders.len() >= 3);
    for folder in folders {
        let report = check(&folder);
        assert!(
            report.mistakes.is_empty(),
            "{}: {:?}",
            folder.display(),
            report.mistakes
        );
        assert!(
            report.warnings.is_empty(),
            "{}: {:?}",
            folder.display(),
            report.warnings
        );
    }
}

#[tokio::test]
async fn every_sample_gives_what_is_written_beside_it() {
    for folder in folders() {
        let sample = folder.join("sample");
        let text = std::fs::read_to_string(sample.join("expected.toml")).unwrap();
        let expected: Expected = toml::from_str(&text).unwrap();
        let city = City::from(&folder);
        let report = city.try_load(&sample.join(&expected.file)).await.unwrap();
        let name = &report.dataset;
        assert!(matches!(report.outcome, Outcome::Published(_)), "{name}: {report:?}");
        assert_eq!(
            (report.read, report.rows, report.rejected, report.superseded),
            (expected.read, expected.rows, expected.rejected, expected.superseded),
            "{name}: {report:?}"
        );
        assert_eq!(report.reasons, expected.reasons, "{name}");
        assert_eq!(report.warnings, expected.warnings, "{name}");
        assert_eq!(u64::try_from(city.rows().await.len()).unwrap(), expected.rows, "{name}");
        let rejects = hub::rejected(&city.lake, &city.dataset, &report.load, Some(KEY))
            .await
            .unwrap();
        assert_eq!(u64::try_from(rejects.len()).unwrap(), expected.rejected, "{name}");
        assert!(rejects.iter().all(|reject| !reject.reasons.is_empty()));
    }
}
