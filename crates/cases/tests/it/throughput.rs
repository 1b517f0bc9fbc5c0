//! How many whole applications a second the verbs carry, without pages around them.
//!
//! `cargo test --release -p cases --test it -- --ignored --nocapture applications_per_second`

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cases::collect;

use crate::support::sqlite;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: run it alone, with --nocapture"]
async fn applications_per_second() {
    let kit = Arc::new(sqlite().await);
    let next = Arc::new(AtomicU32::new(0));
    let seconds = Duration::from_secs(
        std::env::var("SECONDS_OF_LOAD")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(10),
    );
    let began = Instant::now();
    let clients: Vec<_> = (0..64)
        .map(|_| {
            let (kit, next) = (Arc::clone(&kit), Arc::clone(&next));
            tokio::spawn(async move {
                let mut times = Vec::new();
                while began.elapsed() < seconds {
                    let person = kit.person(next.fetch_add(1, Ordering::Relaxed)).await;
                    let start = Instant::now();
                    let id = kit.open(&person).await;
                    let draft = kit.fill(&person, id).await;
                    collect::submit(&kit.desk, &person, id, draft.revision, draft.form_token)
                        .await
                        .unwrap();
                    times.push(start.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.unwrap());
    }
    let elapsed = began.elapsed().as_secs_f64();
    times.sort();
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
    println!(
        "{:.0} applications/s, p50 {:?}, p99 {:?} for a whole application",
        times.len() as f64 / elapsed,
        at(50),
        at(99)
    );
}
