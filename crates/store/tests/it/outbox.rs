//! Work is never lost and never done twice: put in the transaction it follows from, done at least once, noted once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use sea_orm::EntityTrait as _;
use store::outbox::{self, Outcome, Relay, Task};
use store::tables::outbox as table;
use store::{Store, StoreError, sea_orm};
use tokio::sync::Notify;

use crate::support::{each_engine, write};

async fn put(store: &Store, key: &str, number: u32) -> bool {
    let task = Task::new("count", key, &number);
    write(store, move |tx| Box::pin(async move { outbox::put(tx, task).await })).await
}

async fn all(store: &Store) -> Vec<table::Model> {
    table::Entity::find().all(store.read()).await.unwrap()
}

/// Counts how often each number was handled.
type Counts = Arc<Mutex<HashMap<u32, usize>>>;

fn counting(counts: &Counts) -> Relay {
    let counts = Arc::clone(counts);
    Relay::default().on("count", move |payload| {
        let counts = Arc::clone(&counts);
        async move {
            let number: u32 = serde_json::from_slice(&payload).map_err(|error| error.to_string())?;
            *counts.lock().unwrap().entry(number).or_default() += 1;
            tokio::task::yield_now().await;
            Ok(Outcome::Done)
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn work_put_twice_is_stored_once_and_undone_with_its_write() {
    each_engine(|test, _| async move {
        assert!(put(&test.store, "one", 1).await);
        assert!(!put(&test.store, "one", 2).await);
        let undone = test
            .store
            .write(|tx| {
                Box::pin(async move {
                    outbox::put(tx, Task::new("count", "two", &2)).await?;
                    Err::<(), _>(StoreError::Closed)
                })
            })
            .await;
        assert!(undone.is_err());
        let counts = Counts::default();
        assert_eq!(counting(&counts).round(&test.store).await.unwrap(), 1);
        assert_eq!(counting(&counts).round(&test.store).await.unwrap(), 0);
        assert_eq!(*counts.lock().unwrap(), HashMap::from([(1, 1)]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_share_the_work() {
    each_engine(|test, clock| async move {
        for number in 0..200 {
            put(&test.store, &number.to_string(), number).await;
        }
        // The second relay is another process: its own writer, its own connections.
        let other = test.reopen(test.master_keys.clone(), clock).await.unwrap();
        let counts = Counts::default();
        let (one, two) = (counting(&counts), counting(&counts));
        let (first, second) = tokio::join!(one.round(&test.store), two.round(&other));
        assert_eq!(first.unwrap() + second.unwrap(), 200);
        assert!((0..200).all(|number| counts.lock().unwrap().get(&number) == Some(&1)));
        assert!(all(&test.store).await.iter().all(|row| row.state == "done"));
        other.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_whose_relay_was_killed_is_done_after_its_lease() {
    each_engine(|test, clock| async move {
        put(&test.store, "one", 1).await;
        let begun = Arc::new(Notify::new());
        let ringing = Arc::clone(&begun);
        let stuck = Relay::default().on("count", move |_| {
            let begun = Arc::clone(&ringing);
            async move {
                begun.notify_one();
                std::future::pending().await
            }
        });
        let store = test.store.clone();
        let running = tokio::spawn(async move { stuck.round(&store).await });
        begun.notified().await;
        running.abort();
        running.await.unwrap_err();
        let counts = Counts::default();
        let relay = counting(&counts);
        assert_eq!(relay.round(&test.store).await.unwrap(), 0, "it is still leased");
        clock.advance(SignedDuration::from_secs(121));
        assert_eq!(relay.round(&test.store).await.unwrap(), 1);
        assert_eq!(*counts.lock().unwrap(), HashMap::from([(1, 1)]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_comes_back_after_its_lease_notes_nothing_over_the_other() {
    each_engine(|test, clock| async move {
        put(&test.store, "one", 1).await;
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (ringing, waiting) = (Arc::clone(&begun), Arc::clone(&go_on));
        let slow = Relay::default().on("count", move |_| {
            let (begun, go_on) = (Arc::clone(&ringing), Arc::clone(&waiting));
            async move {
                begun.notify_one();
                go_on.notified().await;
                Err("too late".to_owned())
            }
        });
        let store = test.store.clone();
        let running = tokio::spawn(async move { slow.round(&store).await });
        begun.notified().await;
        // The slow relay has looked for more work and found none.
        tokio::time::sleep(Duration::from_millis(300)).await;
        clock.advance(SignedDuration::from_secs(121));
        assert_eq!(counting(&Counts::default()).round(&test.store).await.unwrap(), 1);
        go_on.notify_one();
        running.await.unwrap().unwrap();
        let rows = all(&test.store).await;
        assert_eq!(
            (rows[0].state.as_str(), rows[0].attempts, rows[0].last_error.as_deref()),
            ("done", 0, None)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_with_growing_pauses_and_then_given_up() {
    each_engine(|test, clock| async move {
        put(&test.store, "one", 1).await;
        let tries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tries);
        let failing = Relay::default().on("count", move |_| {
            let number = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                if number == 3 {
                    let nothing: Option<Outcome> = std::hint::black_box(None);
                    return Ok(nothing.expect("a panic in a handler"));
                }
                Err(format!("try {number}"))
            }
        });
        let mut waited = 0;
        while outbox::waiting(&test.store).await.unwrap() == 1 {
            assert!(waited < 200_000, "it is never given up");
            failing.round(&test.store).await.unwrap();
            if tries.load(Ordering::Relaxed) == 4 {
                assert_eq!(
                    all(&test.store).await[0].last_error.as_deref(),
                    Some("the handler panicked")
                );
            }
            clock.advance(SignedDuration::from_secs(1));
            waited += 1;
            if waited > 300 {
                clock.advance(SignedDuration::from_secs(600));
                waited += 600;
            }
        }
        assert_eq!(tries.load(Ordering::Relaxed), 20);
        // 1 + 2 + 4 + … seconds: the pauses had grown to hours in between.
        assert!(waited > 4_000, "{waited}");
        let dead = outbox::dead(&test.store, 10).await.unwrap();
        assert_eq!(
            (dead.len(), dead[0].attempts, dead[0].last_error.as_deref()),
            (1, 20, Some("try 19"))
        );
        let id = dead[0].id;
        assert!(
            write(&test.store, move |tx| Box::pin(async move {
                outbox::revive(tx, id.into()).await
            }))
            .await
        );
        let counts = Counts::default();
        counting(&counts).round(&test.store).await.unwrap();
        assert_eq!(*counts.lock().unwrap(), HashMap::from([(1, 1)]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_again_later_is_no_failure_and_a_kind_without_handler_is_one() {
    each_engine(|test, clock| async move {
        put(&test.store, "one", 1).await;
        let later = Relay::default().on("count", |_| async { Ok(Outcome::Later(SignedDuration::from_secs(30))) });
        assert_eq!(later.round(&test.store).await.unwrap(), 1);
        assert_eq!(later.round(&test.store).await.unwrap(), 0);
        clock.advance(SignedDuration::from_secs(31));
        assert_eq!(later.round(&test.store).await.unwrap(), 1);
        assert_eq!(all(&test.store).await[0].attempts, 0);
        clock.advance(SignedDuration::from_secs(31));
        Relay::default().round(&test.store).await.unwrap();
        let rows = all(&test.store).await;
        assert_eq!(
            (rows[0].attempts, rows[0].last_error.as_deref()),
            (1, Some("no handler for `count`"))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_work_wakes_a_waiting_relay() {
    each_engine(|test, _| async move {
        let counts = Counts::default();
        let (relay, store) = (counting(&counts), test.store.clone());
        let running = tokio::spawn(async move { relay.run(&store).await });
        tokio::time::sleep(Duration::from_millis(50)).await;
        for number in 0..20 {
            put(&test.store, &number.to_string(), number).await;
        }
        let done = async {
            while outbox::waiting(&test.store).await.unwrap() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), done).await.unwrap();
        assert_eq!(counts.lock().unwrap().values().sum::<usize>(), 20);
        running.abort();
    })
    .await;
}
