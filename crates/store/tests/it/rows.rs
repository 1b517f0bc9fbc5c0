//! Rows: the second of two changes is told so, numbers have no gaps, and a person has one draft of a service.

use store::seal::Owner;
use store::tables::application::{self, State};
use store::tables::person;
use store::{Store, StoreError};
use uuid::Uuid;

use crate::support::{each_engine, write};

fn draft(id: Uuid, person: Uuid, key: Uuid) -> application::Model {
    application::Model {
        id,
        number: None,
        service: "senior-allowance".into(),
        service_digest: String::new(),
        person_id: Some(person),
        key_id: key,
        channel: "online".into(),
        language: "zh-TW".into(),
        state: State::Draft,
        revision: 1,
        answers: None,
        form_token: Some(Uuid::new_v4()),
        opened_at: 1,
        updated_at: 1,
        draft_until: 1,
        submitted_at: None,
        deadline: None,
        clock_stopped_at: None,
        stopped_days: 0,
        assigned_to: None,
        finding: None,
        correction: None,
        correction_due: None,
        decided_at: None,
        outcome: None,
        completed_at: None,
        uploads: 0,
        measure_id: None,
        dispose_after: None,
        disposed_at: None,
        reference_date: None,
        roll_id: None,
    }
}

/// A person and the data key of a case.
async fn person(store: &Store) -> (Uuid, Uuid) {
    let (id, seal) = (Uuid::new_v4(), store.seal().clone());
    write(store, move |tx| {
        Box::pin(async move {
            let key = seal.new_key(tx, Owner::Person(id)).await?.uuid();
            let row = person::Model {
                id,
                lookup: id.as_bytes().to_vec(),
                key_id: key,
                sealed: vec![1],
                language: "zh-TW".into(),
                created_at: 1,
                updated_at: 1,
                revision: 1,
            };
            person::insert(tx, row).await?;
            Ok((id, key))
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_change_of_one_revision_is_refused() {
    each_engine(|test, _| async move {
        let (who, key) = person(&test.store).await;
        let row = draft(Uuid::new_v4(), who, key);
        let (one, other) = write(&test.store, {
            let row = row.clone();
            move |tx| {
                Box::pin(async move {
                    application::insert(tx, row.clone()).await?;
                    let first = application::replace(
                        tx,
                        &application::Model {
                            uploads: 1,
                            ..row.clone()
                        },
                    )
                    .await?;
                    let second = application::replace(tx, &application::Model { uploads: 2, ..row }).await?;
                    Ok((first, second))
                })
            }
        })
        .await;
        assert_eq!((one, other), (true, false));
        let stored = application::by_id(test.store.read(), row.id).await.unwrap().unwrap();
        assert_eq!(
            stored,
            application::Model {
                uploads: 1,
                revision: 2,
                ..row
            }
        );
        let progress = application::progress(test.store.read(), stored.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            progress,
            application::Progress {
                row: stored,
                agreed: false,
                mydata: false
            }
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_one_draft_of_a_service_and_channel() {
    each_engine(|test, _| async move {
        let (who, key) = person(&test.store).await;
        let insert = |row: application::Model| {
            test.store
                .write(move |tx| Box::pin(async move { Ok::<_, StoreError>(application::insert(tx, row).await?) }))
        };
        let first = draft(Uuid::new_v4(), who, key);
        insert(first.clone()).await.unwrap();
        assert!(
            insert(draft(Uuid::new_v4(), who, key))
                .await
                .unwrap_err()
                .is_duplicate()
        );
        insert(application::Model {
            channel: "counter".into(),
            ..draft(Uuid::new_v4(), who, key)
        })
        .await
        .unwrap();
        insert(application::Model {
            state: State::Withdrawn,
            ..draft(Uuid::new_v4(), who, key)
        })
        .await
        .unwrap();
        let unknown = insert(application::Model {
            channel: "fax".into(),
            ..draft(Uuid::new_v4(), who, key)
        })
        .await;
        assert!(unknown.is_err(), "the table knows the channels");
        assert_eq!(
            application::draft(test.store.read(), who, "senior-allowance", "online")
                .await
                .unwrap(),
            Some(first)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_the_queue_follow_the_deadline_and_repeat_nothing() {
    each_engine(|test, _| async move {
        let (who, key) = person(&test.store).await;
        // deadline and time of submission, in the order of the ids
        let cases = [
            (None, Some(1)),
            (Some("2026-12-30"), Some(5)),
            (Some("2026-12-10"), Some(3)),
            (Some("2026-12-20"), Some(2)),
            (Some("2026-12-10"), Some(3)),
            (Some("2026-12-10"), Some(4)),
            (None, None),
            (Some("2026-12-10"), Some(3)),
        ];
        let rows: Vec<application::Model> = (1_u128..)
            .zip(cases)
            .map(|(number, (deadline, submitted_at))| application::Model {
                state: State::Submitted,
                number: submitted_at.map(|_| format!("115-QU-{number:06}")),
                deadline: deadline.map(str::to_owned),
                submitted_at,
                ..draft(Uuid::from_u128(number), who, key)
            })
            .collect();
        // written in another order than that of the ids
        let written: Vec<_> = rows.iter().rev().cloned().collect();
        write(&test.store, move |tx| {
            Box::pin(async move {
                for row in written {
                    application::insert(tx, row).await?;
                }
                Ok(())
            })
        })
        .await;
        assert_eq!(pages(&test.store).await, [3, 5, 8, 6, 4, 2, 1, 7]);
        // the days that the clock stood still for a correction move a case back
        let moved = application::Model {
            deadline: Some("2026-12-25".into()),
            clock_stopped_at: None,
            stopped_days: 15,
            ..rows[2].clone()
        };
        let replaced = write(&test.store, move |tx| {
            Box::pin(async move { Ok(application::replace(tx, &moved).await?) })
        })
        .await;
        assert!(replaced);
        assert_eq!(pages(&test.store).await, [5, 8, 6, 4, 3, 2, 1, 7]);
    })
    .await;
}

/// The cases of the queue over pages of four.
async fn pages(store: &Store) -> Vec<u128> {
    let mut found = Vec::new();
    for page in 0..2 {
        let (rows, total) = application::queue(store.read(), &application::Filter::default(), page * 4, 4)
            .await
            .unwrap();
        assert_eq!((rows.len(), total), (4, 8));
        found.extend(rows.into_iter().map(|row| row.id.as_u128()));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_counts_without_gaps_whatever_is_undone() {
    each_engine(|test, _| async move {
        let tasks: Vec<_> = (0..60)
            .map(|number| {
                let store = test.store.clone();
                tokio::spawn(async move {
                    store
                        .write(move |tx| {
                            Box::pin(async move {
                                let next = application::next_in_series(tx, "115-SA").await?;
                                if number % 4 == 0 {
                                    Err(StoreError::Closed)
                                } else {
                                    Ok(next)
                                }
                            })
                        })
                        .await
                })
            })
            .collect();
        let mut given = Vec::new();
        for task in tasks {
            given.extend(task.await.unwrap().ok());
        }
        given.sort_unstable();
        assert_eq!(given, (1..=45).collect::<Vec<_>>());
        let other = write(&test.store, |tx| {
            Box::pin(async move { Ok(application::next_in_series(tx, "115-XX").await?) })
        })
        .await;
        assert_eq!(other, 1);
    })
    .await;
}
