//! The usage ledger: what was appended verifies, and each way of tampering is found.

use civic::ids::ApplicationId;
use store::ledger::{self, Fault, Head};
use store::{Store, StoreError};

use crate::support::{CASE, each_engine, entry, tamper, write};

async fn append(store: &Store, numbers: std::ops::Range<u8>) -> Head {
    write(store, move |tx| {
        Box::pin(async move {
            let mut head = Head::EMPTY;
            for number in numbers {
                head = ledger::append(tx, entry(number)).await?;
            }
            Ok(head)
        })
    })
    .await
}

async fn fault(store: &Store, published: Option<Head>) -> Fault {
    match ledger::verify(store, published).await {
        Err(StoreError::Ledger(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_appended_is_read_back_and_verifies() {
    each_engine(|test, _| async move {
        let store = &test.store;
        assert_eq!(ledger::verify(store, None).await.unwrap().entries, 0);
        append(store, 0..5).await;
        let head = append(store, 5..9).await;
        let verified = ledger::verify(store, Some(head)).await.unwrap();
        assert_eq!((verified.entries, verified.head), (9, head));
        assert_eq!(head.to_string().parse::<Head>().unwrap(), head);

        let about = ledger::of_subject(store.read(), &[3; 32], None, 10).await.unwrap();
        assert_eq!(about.len(), 1);
        let mut expected = entry(3);
        // Field names come back sorted, the purpose with the case it was for.
        expected.fields.sort();
        expected.purpose.application = Some(ApplicationId::from_uuid(CASE));
        assert_eq!((about[0].seq, &about[0].entry), (4, &expected));
        let newest = ledger::of_application(store.read(), ApplicationId::from_uuid(CASE), Some(9), 3)
            .await
            .unwrap();
        assert_eq!(newest.iter().map(|one| one.seq).collect::<Vec<_>>(), [8, 7, 6]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_make_one_chain() {
    each_engine(|test, clock| async move {
        let other = test.reopen(test.master_keys.clone(), clock).await.unwrap();
        let tasks: Vec<_> = (0..40_u8)
            .map(|number| {
                let store = if number % 2 == 0 {
                    test.store.clone()
                } else {
                    other.clone()
                };
                tokio::spawn(async move { append(&store, number..number + 1).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(ledger::verify(&test.store, None).await.unwrap().entries, 40);
        other.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_changed_value_is_found() {
    each_engine(|test, _| async move {
        append(&test.store, 0..6).await;
        let hex = "X'00000000000000000000000000000099'";
        let uuid = if test.url.starts_with("sqlite") {
            hex
        } else {
            "'00000000-0000-0000-0000-000000000099'"
        };
        let bytes = if test.url.starts_with("sqlite") {
            "X'07'"
        } else {
            "'\\x07'::bytea"
        };
        for change in [
            "at = at + 1".to_owned(),
            "actor_kind = 0".to_owned(),
            "actor_kind = 7".to_owned(),
            format!("actor_id = {uuid}"),
            "actor_id = NULL".to_owned(),
            "action = (SELECT action FROM ledger WHERE seq = 5)".to_owned(),
            "purpose = action".to_owned(),
            format!("application = {uuid}"),
            "application = NULL".to_owned(),
            "subject = NULL".to_owned(),
            format!("subject = {bytes}"),
            "fields = action".to_owned(),
            "count = count + 1".to_owned(),
            format!("hash = {bytes}"),
        ] {
            // Kept aside, changed, found, put back.
            tamper(&test.store, "CREATE TABLE aside AS SELECT * FROM ledger WHERE seq = 3").await;
            tamper(&test.store, format!("UPDATE ledger SET {change} WHERE seq = 3")).await;
            let found = fault(&test.store, None).await;
            assert!(
                matches!(found, Fault::Altered(3 | 4) | Fault::Impossible(3)),
                "{change}: {found}"
            );
            tamper(&test.store, "DELETE FROM ledger WHERE seq = 3").await;
            tamper(&test.store, "INSERT INTO ledger SELECT * FROM aside").await;
            tamper(&test.store, "DROP TABLE aside").await;
            ledger::verify(&test.store, None).await.unwrap();
        }
        tamper(
            &test.store,
            "UPDATE ledger_word SET text = 'read' WHERE text = 'action1'",
        )
        .await;
        assert!(
            matches!(fault(&test.store, None).await, Fault::Altered(2)),
            "a text of the dictionary"
        );
        tamper(&test.store, "DELETE FROM ledger_word WHERE text = 'read'").await;
        assert!(matches!(fault(&test.store, None).await, Fault::NoWord { seq: 2, .. }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removal_insertion_and_reordering_are_found() {
    each_engine(|test, _| async move {
        append(&test.store, 0..6).await;
        tamper(&test.store, "UPDATE ledger SET seq = seq + 100").await;
        tamper(
            &test.store,
            "UPDATE ledger SET seq = CASE seq WHEN 103 THEN 4 WHEN 104 THEN 3 ELSE seq - 100 END",
        )
        .await;
        assert_eq!(
            fault(&test.store, None).await,
            Fault::Altered(3),
            "two exchanged their places"
        );
        tamper(&test.store, "UPDATE ledger SET seq = seq + 100").await;
        tamper(
            &test.store,
            "UPDATE ledger SET seq = CASE seq WHEN 103 THEN 4 WHEN 104 THEN 3 ELSE seq - 100 END",
        )
        .await;
        ledger::verify(&test.store, None).await.unwrap();
        tamper(&test.store, "DELETE FROM ledger WHERE seq = 3").await;
        assert_eq!(fault(&test.store, None).await, Fault::Missing { expected: 3, found: 4 });
        tamper(&test.store, "UPDATE ledger SET seq = seq + 100 WHERE seq > 3").await;
        tamper(&test.store, "UPDATE ledger SET seq = seq - 101 WHERE seq > 100").await;
        assert_eq!(fault(&test.store, None).await, Fault::Altered(3), "the gap was closed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_off_end_and_a_rewritten_ledger_are_found_by_the_published_head() {
    each_engine(|test, clock| async move {
        append(&test.store, 0..6).await;
        let published = ledger::head(test.store.read()).await.unwrap();
        tamper(&test.store, "DELETE FROM ledger WHERE seq > 4").await;
        assert!(
            ledger::verify(&test.store, None).await.is_ok(),
            "alone, a shorter chain holds together"
        );
        assert_eq!(
            fault(&test.store, Some(published)).await,
            Fault::CutOff { published: 6, found: 4 }
        );
        let again = test.reopen(test.master_keys.clone(), clock).await.unwrap();
        append(&again, 100..103).await;
        assert_eq!(fault(&again, Some(published)).await, Fault::Rewritten(6));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_ledger_verifies_without_the_database_and_no_byte_of_it_can_change() {
    each_engine(|test, _| async move {
        append(&test.store, 0..4).await;
        let path = test.folder.path().join("ledger.bin");
        let head = ledger::export(&test.store, &path).await.unwrap();
        let verified = ledger::verify_file(&path, Some(head)).unwrap();
        assert_eq!((verified.entries, verified.head), (4, head));
        let bytes = std::fs::read(&path).unwrap();
        let altered = test.folder.path().join("altered.bin");
        for at in 0..bytes.len() {
            let mut copy = bytes.clone();
            copy[at] ^= 0x10;
            std::fs::write(&altered, &copy).unwrap();
            assert!(ledger::verify_file(&altered, Some(head)).is_err(), "byte {at}");
            std::fs::write(&altered, &bytes[..at]).unwrap();
            assert!(ledger::verify_file(&altered, Some(head)).is_err(), "cut at {at}");
        }
        std::fs::write(&altered, [&bytes[..], b"H"].concat()).unwrap();
        assert!(ledger::verify_file(&altered, Some(head)).is_err(), "something follows");
    })
    .await;
}
