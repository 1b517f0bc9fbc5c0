//! A city of one dataset: a folder, a lake and a staging folder that go when the test ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use hub::{At, Dataset, HubError, Job, Lake, Outcome, Report, each_batch, ingest};
use jiff::Timestamp;
use tempfile::TempDir;

pub const KEY: &[u8] = b"sixteen bytes ok";

/// A dataset of every mode is made of this one by what a test changes in it.
pub const PLAIN: &str = r#"
title = { "zh-TW" = "測試", en = "Test" }
description = { "zh-TW" = "測試", en = "Test" }
steward = { "zh-TW" = "測試局", en = "Test office" }
legal_basis = ["測試法 §1"]
[refresh]
every = "day"
[retention]
history_days = 30
[source]
kind = "csv"
encoding = "utf-8"
mode = "full"
key = ["id"]
[[column]]
name = "id"
title = { "zh-TW" = "編號", en = "Id" }
meaning = { "zh-TW" = "編號", en = "Id" }
type = "integer"
unit = "1"
personal = "none"
required = true
from = "id"
[[column]]
name = "name"
title = { "zh-TW" = "名稱", en = "Name" }
meaning = { "zh-TW" = "名稱", en = "Name" }
type = "text"
personal = "none"
from = "name"
[[column]]
name = "day"
title = { "zh-TW" = "日期", en = "Day" }
meaning = { "zh-TW" = "日期", en = "Day" }
type = "date"
personal = "none"
formats = ["iso"]
from = "day"
"#;

pub struct City {
    home: TempDir,
    pub dataset: Arc<Dataset>,
    pub lake: Lake,
}

impl City {
    /// With a dataset of this text.
    pub fn of(text: &str) -> City {
        City::with(text, &[])
    }

    /// With more files in its folder.
    pub fn with(text: &str, files: &[(&str, &str)]) -> City {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("datasets/test");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("dataset.toml"), text).unwrap();
        for (name, text) in files {
            std::fs::write(folder.join(name), text).unwrap();
        }
        City::over(home, &folder)
    }

    /// With a folder of the repository.
    pub fn from(folder: &Path) -> City {
        City::over(tempfile::tempdir().unwrap(), folder)
    }

    fn over(home: TempDir, folder: &Path) -> City {
        let lake = Lake::local(&home.path().join("lake")).unwrap();
        let dataset = Arc::new(Dataset::load(folder).unwrap());
        City { home, dataset, lake }
    }

    /// The same city with another text of its dataset.
    pub fn change(&mut self, text: &str) {
        std::fs::write(self.dataset.folder.join("dataset.toml"), text).unwrap();
        self.dataset = Arc::new(Dataset::load(&self.dataset.folder).unwrap());
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn table(&self) -> PathBuf {
        self.home().join("lake").join(&self.dataset.id)
    }

    pub fn job(&self) -> Job {
        let now: Timestamp = "2026-11-28T04:00:00Z".parse().unwrap();
        let key = self.dataset.is_personal().then_some(KEY);
        Job::new(&self.home().join("staging"), key, now)
    }

    /// A file that is brought in.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub async fn try_load(&self, path: &Path) -> Result<Report, HubError> {
        ingest(&self.lake, &self.dataset, path, &self.job()).await
    }

    pub async fn load(&self, bytes: impl AsRef<[u8]>) -> Report {
        self.try_load(&self.file("source", bytes)).await.unwrap()
    }

    /// The rows of a version as text, sorted.
    pub async fn rows_at(&self, at: At) -> Vec<String> {
        let mut rows = Vec::new();
        let key = self.dataset.is_personal().then_some(KEY);
        let options = FormatOptions::default().with_null("-");
        each_batch(&self.lake, &self.dataset, at, key, &mut |batch| {
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                let cells: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
                rows.push(cells.join(" "));
            }
            Ok(())
        })
        .await
        .unwrap();
        rows.sort();
        rows
    }

    pub async fn rows(&self) -> Vec<String> {
        self.rows_at(At::Latest).await
    }
}

/// What a report says in one line.
pub fn line(report: &Report) -> String {
    let outcome = match &report.outcome {
        Outcome::Published(version) => format!("published {version}"),
        Outcome::AlreadyPublished => "already published".to_owned(),
        Outcome::Held(why) => format!(
            "held: {}",
            why.iter().map(|held| held.why.as_str()).collect::<Vec<_>>().join(" / ")
        ),
    };
    format!(
        "{outcome}; read {} added {} replaced {} deleted {} superseded {} rejected {} rows {}",
        report.read, report.added, report.replaced, report.deleted, report.superseded, report.rejected, report.rows
    )
}
