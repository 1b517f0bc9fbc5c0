//! A load that is cut off goes on where it was, and gives what it would have given.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hub::{HubError, Outcome, ingest};

use crate::kit::{City, PLAIN};

fn source() -> String {
    let rows: String = (0..5_000)
        .map(|row| match row % 97 {
            0 => format!("x{row},bad,\n"),
            1 => format!("{},again,\n", row / 2),
            _ => format!("{row},n{row},2026-01-{:02}\n", row % 28 + 1),
        })
        .collect();
    "id,name,day\n".to_owned() + &rows
}

#[tokio::test]
async fn a_load_cut_off_anywhere_gives_the_same_rows() {
    let whole = City::of(PLAIN);
    let mut job = whole.job();
    job.sizes.part_rows = 300;
    let path = whole.file("source", source());
    let expected = ingest(&whole.lake, &whole.dataset, &path, &job).await.unwrap();
    let rows = whole.rows().await;
    let rejects = hub::rejected(&whole.lake, &whole.dataset, &expected.load, None)
        .await
        .unwrap();
    assert_eq!(u64::try_from(rejects.len()).unwrap(), expected.rejected);
    for stop in [1, 5, 16] {
        let city = City::of(PLAIN);
        let path = city.file("source", source());
        let mut job = city.job();
        job.sizes.part_rows = 300;
        let seen = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&seen);
        job.follow = Arc::new(move |_| counted.fetch_add(1, Ordering::SeqCst) + 1 < stop);
        let stopped = ingest(&city.lake, &city.dataset, &path, &job).await;
        assert!(matches!(stopped, Err(HubError::Stopped)), "{stopped:?}");
        assert!(city.rows().await.is_empty());
        // the last line of the journal is half, and one part is not what was noted
        let staging = city.home().join("staging/test").join(&expected.load);
        let journal = staging.join("journal.jsonl");
        let text = std::fs::read_to_string(&journal).unwrap();
        std::fs::write(&journal, &text[..text.len() - 20]).unwrap();
        std::fs::write(staging.join("part-00000.parquet"), "not what was noted").unwrap();
        job.follow = Arc::new(|_| true);
        let report = ingest(&city.lake, &city.dataset, &path, &job).await.unwrap();
        assert_eq!(report, expected, "stopped after {stop}");
        assert_eq!(city.rows().await, rows);
        let again = hub::rejected(&city.lake, &city.dataset, &report.load, None)
            .await
            .unwrap();
        assert_eq!(again, rejects);
        assert!(!staging.exists());
        assert_eq!(city.try_load(&path).await.unwrap().outcome, Outcome::AlreadyPublished);
    }
}

#[tokio::test]
async fn whole_parts_are_not_made_again() {
    let city = City::of(PLAIN);
    let path = city.file("source", source());
    let mut job = city.job();
    job.sizes.part_rows = 300;
    job.sizes.threads = 1;
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    job.follow = Arc::new(move |_| counted.fetch_add(1, Ordering::SeqCst) < 5);
    assert!(ingest(&city.lake, &city.dataset, &path, &job).await.is_err());
    let folder = std::fs::read_dir(city.home().join("staging/test")).unwrap();
    let folder = folder.flatten().find(|entry| entry.path().is_dir()).unwrap().path();
    let part = folder.join("part-00000.parquet");
    let before = std::fs::metadata(&part).unwrap().modified().unwrap();
    let seen = Arc::new(std::sync::Mutex::new(None));
    let (keeper, looked) = (Arc::clone(&seen), part.clone());
    job.follow = Arc::new(move |_| {
        let modified = std::fs::metadata(&looked).unwrap().modified().unwrap();
        *keeper.lock().unwrap() = Some(modified);
        true
    });
    ingest(&city.lake, &city.dataset, &path, &job).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), Some(before));
}
