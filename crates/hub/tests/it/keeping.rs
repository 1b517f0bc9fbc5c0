//! Compaction, retention and profile.

use hub::{At, Kept, compact, profile, retain};

use crate::kit::{City, PLAIN};

fn incremental() -> String {
    PLAIN
        .replace("mode = \"full\"", "mode = \"incremental\"\ntime = \"day\"")
        .replace(
            "history_days = 30",
            "history_days = 30\nkeep_years = 5\ncounted_from = \"day\"",
        )
}

#[tokio::test]
async fn small_files_become_one_and_versions_stay_readable() {
    let city = City::of(&incremental());
    for day in 1..=9 {
        city.load(format!("id,name,day\n{day},a,2026-01-0{day}\n")).await;
    }
    let before = city.rows().await;
    let job = city.job();
    let kept = compact(&city.lake, &city.dataset, &job.staging, None, job.now)
        .await
        .unwrap();
    assert_eq!((kept.files_before, kept.files_after), (9, 1));
    assert_eq!(city.rows().await, before);
    assert_eq!(city.rows_at(At::Version(4)).await.len(), 4);
    let again = compact(&city.lake, &city.dataset, &job.staging, None, job.now)
        .await
        .unwrap();
    assert_eq!(again, Kept::default());
    // a row of the compacted file is replaced as any other
    city.load("id,name,day\n3,new,2026-02-01\n").await;
    assert_eq!(city.rows().await.len(), 9);
    assert!(city.rows().await.contains(&"3 new 2026-02-01".to_owned()));
}

#[tokio::test]
async fn rows_go_when_their_years_are_over_and_files_when_history_is() {
    let city = City::of(&incremental());
    city.load("id,name,day\n1,a,2021-11-27\n2,b,2021-11-28\n3,c,2026-01-01\n")
        .await;
    let job = city.job();
    let kept = retain(&city.lake, &city.dataset, &job.staging, None, job.now)
        .await
        .unwrap();
    assert_eq!((kept.rows_expired, kept.files_deleted), (1, 0));
    assert_eq!(city.rows().await, ["2 b 2021-11-28", "3 c 2026-01-01"]);
    assert_eq!(city.rows_at(At::Version(1)).await.len(), 3);
    // as if all of it were years ago
    let later = "2036-01-01T00:00:00Z".parse().unwrap();
    let kept = retain(&city.lake, &city.dataset, &job.staging, None, later)
        .await
        .unwrap();
    assert_eq!(kept.rows_expired, 2);
    assert!(kept.files_deleted >= 1, "{kept:?}");
    assert!(city.rows().await.is_empty());
    let files = std::fs::read_dir(city.table()).unwrap().flatten();
    let left: Vec<_> = files
        .map(|file| file.file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".parquet"))
        .collect();
    assert!(left.len() <= 1, "{left:?}");
}

#[tokio::test]
async fn a_profile_tells_counts_and_nothing_of_persons() {
    let text = PLAIN
        .replace("legal_basis", "purposes = [\"057\"]\nlegal_basis")
        .replace(
            "type = \"date\"\npersonal = \"none\"",
            "type = \"date\"\npersonal = \"sensitive\"",
        );
    let city = City::of(&text);
    let rows: String = (0..20_000)
        .map(|row| format!("{row},{},2026-01-01\n", ["x", "y", "x", ""][row % 4]))
        .collect();
    city.load("id,name,day\n".to_owned() + &rows).await;
    let found = profile(&city.lake, &city.dataset, At::Latest, Some(crate::kit::KEY))
        .await
        .unwrap();
    assert_eq!((found.version, found.rows), (Some(1), 20_000));
    let [id, name, day] = found.columns.as_slice() else {
        panic!()
    };
    assert_eq!(id.bounds, Some(("0".to_owned(), "19999".to_owned())));
    assert!((18_500..=21_500).contains(&id.distinct), "{}", id.distinct);
    assert_eq!((name.nulls, name.distinct), (5_000, 2));
    assert_eq!(name.top, [("x".to_owned(), 10_000), ("y".to_owned(), 5_000)]);
    assert_eq!((day.nulls, day.distinct), (0, 1));
    assert_eq!((&day.bounds, day.top.len()), (&None, 0));
}
