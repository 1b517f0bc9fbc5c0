//! The log of a table: time travel, checkpoints, cleaning, and logs that are not as they should be.

use std::path::PathBuf;

use hub::{At, HubError, Kept, Outcome, compact, ingest, retain};
use jiff::Timestamp;

use crate::kit::{City, PLAIN};

fn incremental() -> String {
    PLAIN.replace("mode = \"full\"", "mode = \"incremental\"\ntime = \"day\"")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn load(city: &City, now: &str, id: u32) -> Outcome {
    let path = city.file("source", format!("id,name,day\n{id},a,2026-01-01\n"));
    let mut job = city.job();
    job.now = at(now);
    ingest(&city.lake, &city.dataset, &path, &job).await.unwrap().outcome
}

async fn keep(city: &City, now: &str) -> Kept {
    let staging = city.job().staging;
    retain(&city.lake, &city.dataset, &staging, None, at(now))
        .await
        .unwrap()
}

/// Names in the folder of the log, sorted.
fn names(city: &City) -> Vec<String> {
    let entries = std::fs::read_dir(city.table().join("_delta_log")).unwrap().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn commit(city: &City, version: u64) -> PathBuf {
    city.table().join(format!("_delta_log/{version:020}.json"))
}

async fn error(city: &City, at: At) -> HubError {
    hub::each_batch(&city.lake, &city.dataset, at, None, &mut |_| Ok(()))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_time_is_answered_with_what_was_the_latest_then() {
    let city = City::of(&incremental());
    for day in 1..=5 {
        load(&city, &format!("2041-03-0{day}T04:00:00Z"), day).await;
    }
    for (time, rows) in [
        ("2041-03-01T04:00:00Z", 1),
        ("2041-03-03T03:59:59.999Z", 2),
        ("2041-03-03T04:00:00Z", 3),
        ("2041-03-04T00:00:00Z", 3),
        ("2099-01-01T00:00:00Z", 5),
    ] {
        assert_eq!(city.rows_at(At::Time(at(time))).await.len(), rows, "{time}");
    }
    let early = error(&city, At::Time(at("2041-03-01T00:00:00Z"))).await;
    assert!(matches!(early, HubError::NoVersion(_)), "{early}");
    // a clock that runs behind makes no version that is older than the one before
    load(&city, "2041-03-02T04:00:00Z", 6).await;
    assert_eq!(city.rows_at(At::Time(at("2041-03-05T04:00:00Z"))).await.len(), 5);
    assert_eq!(city.rows_at(At::Time(at("2041-03-05T04:00:01Z"))).await.len(), 6);
}

#[tokio::test]
async fn history_ends_where_the_folder_says_and_nothing_else_changes() {
    let city = City::of(&incremental());
    let mut deleted = Kept::default();
    for month in 1..=6 {
        load(&city, &format!("2041-0{month}-01T04:00:00Z"), month).await;
        let staging = city.job().staging;
        let now = format!("2041-0{month}-02T04:00:00Z");
        compact(&city.lake, &city.dataset, &staging, None, at(&now))
            .await
            .unwrap();
        let kept = keep(&city, &now).await;
        deleted.files_deleted += kept.files_deleted;
        deleted.log_entries_deleted += kept.log_entries_deleted;
    }
    // 30 days before 2 June 04:00 the version of 2 May was the latest: the compaction of that day
    assert_eq!(city.rows().await.len(), 6);
    assert_eq!(city.rows_at(At::Time(at("2041-05-15T00:00:00Z"))).await.len(), 5);
    let gone = error(&city, At::Time(at("2041-05-01T12:00:00Z"))).await;
    assert!(matches!(gone, HubError::NoVersion(_)), "{gone}");
    assert!(matches!(error(&city, At::Version(3)).await, HubError::NoVersion(_)));
    // 0 to 8 and their checkpoints are gone; 9 is what May ended with, 10 and 11 are of June
    let kept = names(&city);
    let expected = [
        "00000000000000000009.checkpoint.parquet",
        "00000000000000000009.json",
        "00000000000000000010.json",
        "00000000000000000011.checkpoint.parquet",
        "00000000000000000011.json",
        "_last_checkpoint",
    ];
    assert_eq!(kept, expected);
    // what was compacted in May, what came in June, and what is of both
    let files = std::fs::read_dir(city.table()).unwrap().flatten();
    let files = files.filter(|file| file.path().is_file()).count();
    assert_eq!(files, 3);
    // a load that was published when history began is known still
    assert_eq!(load(&city, "2041-07-01T04:00:00Z", 1).await, Outcome::AlreadyPublished);
    assert_eq!(load(&city, "2041-07-01T04:00:00Z", 7).await, Outcome::Published(12));
    assert_eq!(city.rows().await.len(), 7);
    assert!(
        deleted.log_entries_deleted >= 9 && deleted.files_deleted >= 7,
        "{deleted:?}"
    );
}

#[tokio::test]
async fn a_checkpoint_says_what_the_commits_before_it_say() {
    let city = City::of(&incremental());
    for id in 0..12 {
        load(&city, "2026-11-28T04:00:00Z", id % 7).await;
        load(&city, "2026-11-28T04:00:00Z", 100 + id).await;
        if id % 5 == 4 {
            let staging = city.job().staging;
            compact(&city.lake, &city.dataset, &staging, None, city.job().now)
                .await
                .unwrap();
            keep(&city, "2026-11-28T05:00:00Z").await;
        }
    }
    let checkpoints: Vec<_> = names(&city)
        .into_iter()
        .filter(|name| name.ends_with(".parquet"))
        .collect();
    assert_eq!(checkpoints.len(), 2, "{checkpoints:?}");
    let mut versions = Vec::new();
    let latest = names(&city).iter().filter(|name| name.ends_with(".json")).count();
    for version in 0..u64::try_from(latest).unwrap() {
        versions.push(city.rows_at(At::Version(version)).await);
    }
    for name in checkpoints {
        std::fs::remove_file(city.table().join("_delta_log").join(name)).unwrap();
    }
    for (version, rows) in (0..).zip(versions) {
        assert_eq!(city.rows_at(At::Version(version)).await, rows, "{version}");
    }
    assert_eq!(city.rows().await.len(), 19);
}

#[tokio::test]
async fn a_log_that_is_not_whole_is_not_read() {
    let city = City::of(&incremental());
    for id in 1..=3 {
        load(&city, "2026-11-28T04:00:00Z", id).await;
    }
    // what a process that was cut off left is none of it
    let staged = city
        .table()
        .join("_delta_log/00000000000000000004.json.0123456789abcdef.tmp");
    std::fs::write(&staged, "{").unwrap();
    assert_eq!(city.rows().await.len(), 3);
    let whole = std::fs::read(commit(&city, 2)).unwrap();
    std::fs::remove_file(commit(&city, 2)).unwrap();
    let gap = error(&city, At::Latest).await.to_string();
    assert!(gap.contains("entries of its log are missing"), "{gap}");
    std::fs::write(commit(&city, 2), &whole[..whole.len() - 9]).unwrap();
    let half = error(&city, At::Latest).await.to_string();
    assert!(
        half.contains("`_delta_log/00000000000000000002.json` can't be read"),
        "{half}"
    );
    assert_eq!(city.rows_at(At::Version(1)).await.len(), 1);
    std::fs::write(commit(&city, 2), &whole).unwrap();
    assert_eq!(city.rows().await.len(), 3);
}

#[tokio::test]
async fn a_table_that_asks_for_more_than_we_know_is_refused() {
    let city = City::of(&incremental());
    load(&city, "2026-11-28T04:00:00Z", 1).await;
    let protocol = r#"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors"]}}"#;
    std::fs::write(commit(&city, 2), protocol).unwrap();
    let refused = error(&city, At::Latest).await.to_string();
    assert!(refused.contains("another program has written to it"), "{refused}");
    let path = city.file("source", "id,name,day\n9,a,2026-01-01\n");
    assert!(matches!(city.try_load(&path).await, Err(HubError::Lake { .. })));
}
