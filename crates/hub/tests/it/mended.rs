//! A folder changes, and a steward mends, between loads: what is there is still what it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use hub::{Dataset, Mended, Outcome, compact, ingest, rejected, replay, retain, waiting};

use crate::kit::{City, PLAIN};

fn incremental() -> String {
    PLAIN.replace("mode = \"full\"", "mode = \"incremental\"\ntime = \"day\"")
}

/// A date column of a new meaning before the one that retention counts from.
fn with_a_day_before(text: &str) -> String {
    let column = "[[column]]\nname = \"seen\"\ntitle = { \"zh-TW\" = \"看到\", en = \"Seen\" }\nmeaning = { \"zh-TW\" = \"看到\", en = \"Seen\" }\n\
                  type = \"date\"\npersonal = \"none\"\nformats = [\"iso\"]\nfrom = \"seen\"\n";
    text.replacen(
        "[[column]]\nname = \"name\"",
        &format!("{column}[[column]]\nname = \"name\""),
        1,
    )
}

#[tokio::test]
async fn rows_are_kept_by_the_column_that_the_folder_names_whatever_its_place() {
    let text = incremental().replace(
        "history_days = 30",
        "history_days = 30\nkeep_years = 5\ncounted_from = \"day\"",
    );
    let mut city = City::of(&text);
    city.load("id,name,day\n1,a,2020-01-01\n2,b,2026-01-01\n").await;
    // the table has its columns in the order of its first day
    city.change(&with_a_day_before(&text));
    let job = city.job();
    let kept = retain(&city.lake, &city.dataset, &job.staging, None, job.now)
        .await
        .unwrap();
    assert_eq!(kept.rows_expired, 1);
    assert_eq!(city.rows().await, ["2 b 2026-01-01"]);
}

#[tokio::test]
async fn what_files_say_of_a_column_covers_its_long_texts() {
    let text = incremental();
    let city = City::of(&text);
    city.load("id,name,day\n1,b,2026-01-01\n").await;
    city.load(format!("id,name,day\n2,{},2026-01-01\n", "z".repeat(40)))
        .await;
    let job = city.job();
    compact(&city.lake, &city.dataset, &job.staging, None, job.now)
        .await
        .unwrap();
    let mut logs: Vec<_> = std::fs::read_dir(city.table().join("_delta_log"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    logs.sort();
    let log = std::fs::read_to_string(logs.last().unwrap()).unwrap();
    let add = log.lines().find(|line| line.contains("\"add\"")).unwrap();
    // a reader that skips files by their bounds would not find the long one
    assert!(
        add.contains("\\\"maxValues\\\":{\\\"day\\\"") && !add.contains("\\\"name\\\":\\\"b\\\""),
        "{add}"
    );
}

/// Brings rows of the other dataset in, by this text of its folder.
async fn bring(city: &City, text: &str, rows: &str) {
    let folder = city.dataset.folder.parent().unwrap().join("other");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("dataset.toml"), text).unwrap();
    let dataset = Arc::new(Dataset::load(&folder).unwrap());
    let path = city.file("other.csv", rows);
    ingest(&city.lake, &dataset, &path, &city.job()).await.unwrap();
}

#[tokio::test]
async fn a_rule_finds_a_value_in_files_of_every_day_of_the_other_dataset() {
    let rule = "[[quality]]\nname = \"known\"\nseverity = \"reject\"\ncheck = \"foreign\"\ncolumns = [\"name\"]\ndataset = \"other\"\n\
                column = \"name\"\n";
    let mut city = City::of(&format!("{PLAIN}{rule}"));
    let other = incremental();
    bring(&city, &other, "id,name,day\n1,old,2026-01-01\n").await;
    bring(
        &city,
        &with_a_day_before(&other),
        "id,seen,name,day\n2,2026-01-02,new,2026-01-01\n",
    )
    .await;
    let report = city
        .load("id,name,day\n1,old,2026-01-01\n2,new,2026-01-01\n3,none,2026-01-01\n")
        .await;
    assert_eq!((report.rows, report.rejected), (2, 1), "{report:?}");
    // what was held against the values of before is looked at again
    city.change(&format!("{PLAIN}{}", rule.replace("\"reject\"", "\"hold\"")));
    let later = "id,name,day\n4,later,2026-01-01\n";
    let report = city.load(later).await;
    assert!(matches!(report.outcome, Outcome::Held(_)), "{report:?}");
    bring(
        &city,
        &with_a_day_before(&other),
        "id,seen,name,day\n3,2026-01-02,later,2026-01-01\n",
    )
    .await;
    let report = city.load(later).await;
    assert!(matches!(report.outcome, Outcome::Published(_)), "{report:?}");
}

fn mended(place: u64, day: &str) -> [Mended; 1] {
    [Mended {
        place,
        cells: BTreeMap::from([("day".to_owned(), Some(day.to_owned()))]),
    }]
}

#[tokio::test]
async fn a_mended_row_is_held_by_no_rule_about_whole_loads() {
    let rules = "[[quality]]\nname = \"few\"\nseverity = \"hold\"\ncheck = \"rejects_at_most\"\nmax = 50\n\
                 [[quality]]\nname = \"new\"\nseverity = \"hold\"\ncheck = \"fresh\"\ncolumns = [\"day\"]\ndays = 400\n";
    let city = City::of(&format!("{PLAIN}{rules}"));
    let load = city
        .load("id,name,day\n1,a,2026-01-01\n2,b,2026-01-01\n3,c,2026-13-01\n")
        .await
        .load;
    let job = city.job();
    // still wrong: it waits with its new cells
    let report = replay(&city.lake, &city.dataset, &load, &mended(4, "2026-14-01"), &job)
        .await
        .unwrap();
    assert!(
        matches!(report.outcome, Outcome::Published(_)) && report.rejected == 1,
        "{report:?}"
    );
    let waits = rejected(&city.lake, &city.dataset, &load, None).await.unwrap();
    assert!(
        waits[0]
            .cells
            .contains(&("day".to_owned(), Some("2026-14-01".to_owned()))),
        "{waits:?}"
    );
    // right, and older than what a load may be
    let report = replay(&city.lake, &city.dataset, &load, &mended(4, "2020-01-01"), &job)
        .await
        .unwrap();
    assert!(
        matches!(report.outcome, Outcome::Published(_)) && report.rejected == 0,
        "{report:?}"
    );
    assert_eq!(city.rows().await.len(), 3);
    assert!(waiting(&city.lake, &city.dataset).await.unwrap().is_empty());
}

#[tokio::test]
async fn rejects_of_a_whole_source_go_with_it_when_another_takes_its_place() {
    let city = City::of(PLAIN);
    let first = "id,name,day\n1,a,2026-01-01\n2,b,2026-13-01\n";
    let load = city.load(first).await.load;
    assert_eq!(
        waiting(&city.lake, &city.dataset).await.unwrap(),
        std::slice::from_ref(&load)
    );
    city.load("id,name,day\n3,c,2026-01-01\n").await;
    assert!(waiting(&city.lake, &city.dataset).await.unwrap().is_empty());
    let job = city.job();
    let late = replay(&city.lake, &city.dataset, &load, &mended(3, "2026-01-02"), &job).await;
    assert!(matches!(late, Err(hub::HubError::NotRejected { place: 3 })), "{late:?}");
    // and the first source is taken when it comes again
    let report = city.load(first).await;
    assert!(matches!(report.outcome, Outcome::Published(_)), "{report:?}");
    assert_eq!(city.rows().await, ["1 a 2026-01-01"]);
}
