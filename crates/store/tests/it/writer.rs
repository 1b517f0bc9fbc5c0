//! One writer: a failing write undoes only itself, what was answered is stored, and too many are turned away.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbBackend, EntityTrait as _, PaginatorTrait as _, Statement};
use store::outbox::{self, Task};
use store::tables::outbox as table;
use store::{StoreError, sea_orm};
use tokio::sync::Notify;

use crate::support::{each_engine, entry, write};

async fn rows(store: &store::Store) -> u64 {
    table::Entity::find().count(store.read()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_write_undoes_itself_and_nothing_else() {
    each_engine(|test, _| async move {
        let writes = (0..60_u8).map(|number| {
            let store = test.store.clone();
            tokio::spawn(async move {
                store
                    .write(move |tx| {
                        Box::pin(async move {
                            outbox::put(tx, Task::new("test", format!("key{number}"), &number)).await?;
                            store::ledger::append(tx, entry(number)).await?;
                            match number % 3 {
                                0 => Err(StoreError::Closed),
                                // A statement the database refuses, which breaks the transaction on PostgreSQL.
                                1 => {
                                    tx.execute_unprepared("INSERT INTO nowhere VALUES (1)").await?;
                                    Ok(())
                                }
                                _ => Ok(()),
                            }
                        })
                    })
                    .await
            })
        });
        let mut kept = 0;
        for write in writes.collect::<Vec<_>>() {
            kept += u64::from(write.await.unwrap().is_ok());
        }
        assert_eq!(kept, 20);
        assert_eq!(rows(&test.store).await, 20);
        // The ledger has no gap where a write was undone.
        assert_eq!(store::ledger::verify(&test.store, None).await.unwrap().entries, 20);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_overlooks_a_refused_statement_is_not_answered_as_stored() {
    each_engine(|test, _| async move {
        let overlooked = test
            .store
            .write(|tx| {
                Box::pin(async move {
                    outbox::put(tx, Task::new("test", "first", &1)).await?;
                    tx.execute_unprepared("INSERT INTO nowhere VALUES (1)").await.ok();
                    Ok::<_, StoreError>(())
                })
            })
            .await;
        let sqlite = test.store.read().get_database_backend() == DbBackend::Sqlite;
        assert_eq!(
            overlooked.is_ok(),
            sqlite,
            "SQLite undoes the statement alone, PostgreSQL the whole write"
        );
        assert_eq!(rows(&test.store).await, u64::from(sqlite));
        write(&test.store, |tx| {
            Box::pin(async move { outbox::put(tx, Task::new("test", "second", &2)).await })
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_that_callers_alone() {
    each_engine(|test, _| async move {
        let panicked = test
            .store
            .write(|tx| {
                Box::pin(async move {
                    outbox::put(tx, Task::new("test", "key", &1)).await?;
                    let nothing: Option<()> = std::hint::black_box(None);
                    nothing.expect("a panic in a write");
                    Ok::<_, StoreError>(())
                })
            })
            .await;
        assert!(matches!(panicked, Err(StoreError::Panicked)));
        assert_eq!(rows(&test.store).await, 0);
        write(&test.store, |tx| {
            Box::pin(async move { outbox::put(tx, Task::new("test", "key", &1)).await })
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_seen_by_another_process_and_survives() {
    each_engine(|test, clock| async move {
        write(&test.store, |tx| {
            Box::pin(async move { outbox::put(tx, Task::new("test", "key", &1)).await })
        })
        .await;
        let other = test.reopen(test.master_keys.clone(), clock).await.unwrap();
        assert_eq!(rows(&other).await, 1);
        other.close().await;
        if test.store.read().get_database_backend() == DbBackend::Sqlite {
            let (journal, synchronous) = write(&test.store, |tx| {
                Box::pin(async move {
                    let ask = |sql: &'static str| tx.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql));
                    let journal: String = ask("PRAGMA journal_mode").await?.unwrap().try_get_by_index(0)?;
                    let synchronous: i64 = ask("PRAGMA synchronous").await?.unwrap().try_get_by_index(0)?;
                    Ok((journal, synchronous))
                })
            })
            .await;
            // 2 is FULL: every commit is on disk before it is answered.
            assert_eq!((journal.as_str(), synchronous), ("wal", 2));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_waiting_writes_are_turned_away() {
    let test = store::testing::sqlite(crate::support::clock()).await;
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let first = {
        let (store, begun, go_on) = (test.store.clone(), begun.clone(), go_on.clone());
        tokio::spawn(async move {
            store
                .write(move |_| {
                    Box::pin(async move {
                        begun.notify_one();
                        go_on.notified().await;
                        Ok::<_, StoreError>(())
                    })
                })
                .await
        })
    };
    begun.notified().await;
    let mut waiting = Vec::new();
    for number in 0..5_000_u32 {
        let store = test.store.clone();
        waiting.push(tokio::spawn(async move {
            store
                .write(move |tx| {
                    Box::pin(async move { outbox::put(tx, Task::new("test", number.to_string(), &number)).await })
                })
                .await
        }));
    }
    // All are queued or turned away before the writer goes on.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    go_on.notify_one();
    first.await.unwrap().unwrap();
    let (mut stored, mut refused) = (0, 0);
    for one in waiting {
        match one.await.unwrap() {
            Ok(_) => stored += 1,
            Err(StoreError::Overloaded(4096)) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((stored, refused), (4096, 904));
    assert_eq!(rows(&test.store).await, 4096);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_store_stores_nothing_and_says_so() {
    each_engine(|test, _| async move {
        test.store.close().await;
        let late = test
            .store
            .write(|tx| Box::pin(async move { outbox::put(tx, Task::new("test", "key", &1)).await }))
            .await;
        assert!(matches!(late, Err(StoreError::Closed)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_cannot_write() {
    each_engine(|test, _| async move {
        assert!(
            test.store
                .read()
                .execute_unprepared("DELETE FROM outbox")
                .await
                .is_err()
        );
    })
    .await;
}
