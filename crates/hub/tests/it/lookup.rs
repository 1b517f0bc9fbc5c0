//! Lookups: what one key gives, with its provenance, against a scan of the whole version.

use std::path::Path;
use std::sync::Arc;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use hub::{At, Dataset, HubError, Lookups, compact, each_batch};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::kit::{City, KEY, PLAIN};

const ASKED: &str = "[lookup]\nby = [\"name\"]\ncolumns = [\"id\", \"day\"]\ncache_seconds = 60\n[source]";

fn asked() -> String {
    PLAIN.replace("[source]", ASKED)
}

fn lookups(city: &City) -> Lookups {
    let mut lookups = Lookups::new(city.lake.clone(), &city.home().join("copies"));
    let key = city.dataset.is_personal().then_some(KEY);
    lookups.offer(Arc::clone(&city.dataset), key).unwrap();
    lookups
}

fn seconds(now: Timestamp, seconds: i64) -> Timestamp {
    now + SignedDuration::from_secs(seconds)
}

/// An answer in one line: version, then each row's place and values.
async fn line(lookups: &Lookups, key: &str, now: Timestamp) -> String {
    let found = lookups.find("test", &[key], &["day", "id"], now).await.unwrap();
    let rows = found.rows.iter().map(|row| {
        let values: Vec<&str> = row.values.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
        format!(" {}:{}", row.place, values.join(","))
    });
    format!("{}{}", found.version, rows.collect::<String>())
}

#[tokio::test]
async fn a_key_gives_its_rows_with_their_provenance() {
    let city = City::of(&asked());
    city.load("id,name,day\n1,王小明,2026-01-01\n2,b,\n3,王小明,\n4,,2026-01-04\n")
        .await;
    let (lookups, now) = (lookups(&city), city.job().now);
    assert_eq!(line(&lookups, "王小明", now).await, "1 0:2026-01-01,1 2:-,3");
    // as a person writes it
    assert_eq!(line(&lookups, "  b ", now).await, line(&lookups, "b", now).await);
    assert_eq!(line(&lookups, "nobody", now).await, "1");
    let found = lookups.find("test", &["b"], &["id"], now).await.unwrap();
    assert_eq!((found.dataset.as_str(), found.loaded, found.more), ("test", now, false));
    let said = format!("{found:?}");
    assert!(!said.contains("Some(\"2\")"), "values stay out of logs: {said}");
}

#[tokio::test]
async fn answers_rest_on_a_version_no_longer_than_the_folder_says() {
    let city = City::of(&asked());
    city.load("id,name,day\n1,a,\n").await;
    let (lookups, now) = (lookups(&city), city.job().now);
    assert_eq!(line(&lookups, "a", now).await, "1 0:-,1");
    city.load("id,name,day\n2,a,\n").await;
    assert_eq!(line(&lookups, "a", seconds(now, 59)).await, "1 0:-,1");
    assert_eq!(line(&lookups, "a", seconds(now, 60)).await, "2 0:-,2");
    // looked for beforehand, nobody waits for it
    city.load("id,name,day\n3,a,\n").await;
    lookups.refresh("test", seconds(now, 61)).await.unwrap();
    assert_eq!(line(&lookups, "a", seconds(now, 61)).await, "3 0:-,3");
    // of the copies this one and the one before are there
    let copies = std::fs::read_dir(city.home().join("copies/test")).unwrap();
    assert_eq!(copies.count(), 2);
}

#[tokio::test]
async fn putting_files_together_makes_no_row_younger() {
    let city = City::of(&asked().replace("mode = \"full\"", "mode = \"incremental\"\ntime = \"day\""));
    city.load("id,name,day\n1,a,2026-01-01\n").await;
    city.load("id,name,day\n2,b,2026-01-02\n").await;
    let (lookups, job) = (lookups(&city), city.job());
    let before = lookups.find("test", &["b"], &["id"], job.now).await.unwrap();
    let later = seconds(job.now, 3600);
    compact(&city.lake, &city.dataset, &job.staging, None, later)
        .await
        .unwrap();
    let after = lookups.find("test", &["b"], &["id"], later).await.unwrap();
    assert_eq!((before.version, after.version), (2, 3));
    assert_eq!(before.loaded, after.loaded);
}

#[tokio::test]
async fn what_may_not_be_asked_is_refused() {
    let city = City::of(&asked());
    let (lookups, now) = (lookups(&city), city.job().now);
    let ask = |key: Vec<&'static str>, columns: Vec<&'static str>| {
        let lookups = &lookups;
        async move { lookups.find("test", &key, &columns, now).await.unwrap_err().to_string() }
    };
    assert_eq!(
        ask(vec!["a"], vec!["id"]).await,
        "nothing of the dataset `test` was published yet; bring it in first"
    );
    assert_eq!(
        ask(vec!["a"], vec!["name"]).await,
        "lookups of `test` are not answered with `name`; write it into `columns` of its `[lookup]`"
    );
    assert_eq!(
        ask(vec!["  "], vec!["id"]).await,
        "`test` can't be asked by this value of `name`: it is empty and must not be"
    );
    assert_eq!(
        ask(vec!["a", "b"], vec!["id"]).await,
        "`test` can't be asked by this value of ``: it has 1 values, not 2"
    );
    let other = lookups.find("other", &["a"], &[], now).await.unwrap_err();
    assert!(matches!(other, HubError::NotOffered(_)));
    let plain = City::of(PLAIN);
    let mut none = Lookups::new(plain.lake.clone(), &plain.home().join("copies"));
    let refused = none.offer(Arc::clone(&plain.dataset), None);
    assert!(matches!(refused, Err(HubError::NotOffered(_))));
}

#[tokio::test]
async fn copies_of_personal_data_are_encrypted_and_need_the_key() {
    let permits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/disabled-parking-permits");
    let city = City::from(&permits);
    city.try_load(&permits.join("sample/permits.csv")).await.unwrap();
    let lookups = lookups(&city);
    let holder = first_text(&city, "holder").await;
    let found = lookups
        .find(
            "disabled-parking-permits",
            &[&holder.to_lowercase()],
            &["valid_until"],
            city.job().now,
        )
        .await
        .unwrap();
    assert_eq!(found.rows.len(), 1);
    for folder in std::fs::read_dir(city.home().join("copies/disabled-parking-permits")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(holder.len()).any(|some| some == holder.as_bytes()));
        }
    }
    let mut without = Lookups::new(city.lake.clone(), &city.home().join("others"));
    let refused = without.offer(Arc::clone(&city.dataset), None);
    assert!(matches!(refused, Err(HubError::KeyMissing(_))));
}

async fn first_text(city: &City, column: &str) -> String {
    let place = city.dataset.column(column).unwrap();
    let mut first = None;
    each_batch(&city.lake, &city.dataset, At::Latest, Some(KEY), &mut |batch| {
        let format = FormatOptions::default();
        let column = ArrayFormatter::try_new(batch.column(place), &format).unwrap();
        first.get_or_insert(column.value(0).to_string());
        Ok(())
    })
    .await
    .unwrap();
    first.unwrap()
}

#[tokio::test]
async fn more_rows_than_an_answer_holds_are_told() {
    let city = City::of(&asked());
    let rows: String = (0..hub::MOST_ROWS + 5).map(|id| format!("{id},a,\n")).collect();
    city.load(format!("id,name,day\n{rows}")).await;
    let found = lookups(&city)
        .find("test", &["a"], &["id"], city.job().now)
        .await
        .unwrap();
    assert_eq!((found.rows.len(), found.more), (hub::MOST_ROWS, true));
}

#[tokio::test]
async fn every_row_is_found_over_all_pages_groups_and_files() {
    // 300,000 rows are two files of the copy, of many groups and pages each
    let city = City::of(&asked());
    let mut text = "id,name,day\n".to_owned();
    for id in 0..300_000 {
        text.push_str(&format!("{id},n{},\n", id / 2));
    }
    city.load(text).await;
    let (lookups, now) = (lookups(&city), city.job().now);
    for id in (0..150_000).step_by(997) {
        let found = lookups.find("test", &[&format!("n{id}")], &["id"], now).await.unwrap();
        let ids: Vec<Option<String>> = found.rows.into_iter().flat_map(|row| row.values).collect();
        assert_eq!(ids, [Some((id * 2).to_string()), Some((id * 2 + 1).to_string())]);
    }
    let parts = std::fs::read_dir(city.home().join("copies/test")).unwrap();
    let files = std::fs::read_dir(parts.flatten().next().unwrap().path()).unwrap();
    assert_eq!(files.count(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A lookup gives what a scan of the version gives.
    #[test]
    fn a_lookup_is_a_scan(names in prop::collection::vec("[ab]{0,2}", 0..40), asked_for in "[ab]{1,2}") {
        let city = City::of(&asked());
        let rows: String = names.iter().enumerate().map(|(id, name)| format!("{id},{name},\n")).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(async {
            city.load(format!("id,name,day\n{rows}")).await;
            lookups(&city).find("test", &[&asked_for], &["id"], city.job().now).await
        });
        let expected: Vec<u64> = (0..).zip(&names).filter(|(_, name)| **name == asked_for).map(|(row, _)| row).collect();
        let places: Vec<u64> = found.unwrap().rows.iter().map(|row| row.place).collect();
        prop_assert_eq!(places, expected);
    }
}

#[test]
fn a_folder_of_the_repository_offers_lookups() {
    let permits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/disabled-parking-permits");
    let lookup = Dataset::load(&permits).unwrap().lookup.unwrap();
    assert_eq!(lookup.by.len(), 1);
}
