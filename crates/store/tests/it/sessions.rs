//! Sessions: sealed, ended at once everywhere, gone when their time is over.

use std::collections::HashMap;

use sea_orm::EntityTrait as _;
use store::sea_orm;
use store::session::{MARKS, Sessions};
use store::tables::{session as table, session_mark};
use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};

use crate::support::each_engine;

fn record(word: &str, minutes: i64) -> Record {
    // The store's clock stands at 2026-11-20T02:00:00Z.
    let expiry_date =
        tower_sessions::cookie::time::OffsetDateTime::from_unix_timestamp(1_795_140_000 + minutes * 60).unwrap();
    Record {
        id: Id::default(),
        data: HashMap::from([("word".to_owned(), word.into())]),
        expiry_date,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_kept_changed_and_ended() {
    each_engine(|test, _| async move {
        let sessions = Sessions::new(test.store.clone()).await.unwrap();
        // Another handle on the same store, as a second part of the program would have.
        let second = Sessions::new(test.store.clone()).await.unwrap();
        let mut one = record("阿梅", 30);
        sessions.create(&mut one).await.unwrap();
        for _ in 0..2 {
            assert_eq!(second.load(&one.id).await.unwrap().unwrap().data["word"], "阿梅");
        }
        one.data.insert("word".to_owned(), "小明".into());
        sessions.save(&one).await.unwrap();
        assert_eq!(second.load(&one.id).await.unwrap().unwrap().data["word"], "小明");
        let rows = table::Entity::find().all(test.store.read()).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert!(!rows[0].sealed.windows(6).any(|part| part == "小明".as_bytes()));
        assert_ne!(
            rows[0].id,
            one.id.0.to_be_bytes(),
            "the table does not give the token away"
        );
        second.delete(&one.id).await.unwrap();
        assert!(sessions.load(&one.id).await.unwrap().is_none());
        assert!(sessions.load(&Id::default()).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_its_time_is_over() {
    each_engine(|test, clock| async move {
        let sessions = Sessions::new(test.store.clone()).await.unwrap();
        let (mut short, mut long) = (record("a", 30), record("b", 90));
        sessions.create(&mut short).await.unwrap();
        sessions.create(&mut long).await.unwrap();
        assert!(sessions.load(&short.id).await.unwrap().is_some());
        clock.advance(jiff::SignedDuration::from_mins(31));
        assert!(sessions.load(&short.id).await.unwrap().is_none());
        assert!(sessions.load(&long.id).await.unwrap().is_some());
        assert_eq!(sessions.clean().await.unwrap(), 1);
        assert_eq!(table::Entity::find().all(test.store.read()).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_read_while_it_ends_is_not_kept() {
    each_engine(|test, _| async move {
        let sessions = Sessions::new(test.store.clone()).await.unwrap();
        for _ in 0..30 {
            let mut one = record("a", 30);
            sessions.create(&mut one).await.unwrap();
            let readers: Vec<_> = (0..8)
                .map(|_| {
                    let (sessions, id) = (sessions.clone(), one.id);
                    tokio::spawn(async move { sessions.load(&id).await })
                })
                .collect();
            sessions.delete(&one.id).await.unwrap();
            for reader in readers {
                reader.await.unwrap().unwrap();
            }
            assert!(sessions.load(&one.id).await.unwrap().is_none());
        }
    })
    .await;
}

fn marked(mark: u8) -> Record {
    let mut record = record("a", 30);
    let marks = serde_json::json!([hex::encode([mark; 32]), hex::encode([0; 32])]);
    record.data.insert(MARKS.to_owned(), marks);
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_ended_by_their_marks_and_stay_ended() {
    each_engine(|test, _| async move {
        let sessions = Sessions::new(test.store.clone()).await.unwrap();
        let (mut one, mut two, mut other) = (marked(1), marked(1), marked(2));
        for record in [&mut one, &mut two, &mut other] {
            sessions.create(record).await.unwrap();
            assert!(sessions.load(&record.id).await.unwrap().is_some());
        }
        assert_eq!(sessions.end(vec![[1; 32], [9; 32]]).await.unwrap(), 2);
        // a request that began before the end writes the session once more
        sessions.save(&one).await.unwrap();
        for (record, is_there) in [(&one, false), (&two, false), (&other, true)] {
            assert_eq!(sessions.load(&record.id).await.unwrap().is_some(), is_there);
        }
        assert_eq!(sessions.end(vec![[1; 32]]).await.unwrap(), 0);
        // what the person ended themself leaves no mark behind
        sessions.delete(&other.id).await.unwrap();
        assert!(
            session_mark::Entity::find()
                .all(test.store.read())
                .await
                .unwrap()
                .is_empty()
        );
    })
    .await;
}
