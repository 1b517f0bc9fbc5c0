//! The usage ledger: what was appended verifies, and each way of tampering is found.

use civic::ids::ApplicationId;
use store::ledger::{self, Fault, Head, Proof, Proven, Published, Publisher, SigningKey};
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
    match ledger::verify(store, published.map(Into::into)).await {
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
        let verified = ledger::verify(store, Some(head.into())).await.unwrap();
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
        let verified = ledger::verify_file(&path, Some(head.into())).unwrap();
        assert_eq!((verified.entries, verified.head), (4, head));
        let bytes = std::fs::read(&path).unwrap();
        let altered = test.folder.path().join("altered.bin");
        for at in 0..bytes.len() {
            let mut copy = bytes.clone();
            copy[at] ^= 0x10;
            std::fs::write(&altered, &copy).unwrap();
            assert!(ledger::verify_file(&altered, Some(head.into())).is_err(), "byte {at}");
            std::fs::write(&altered, &bytes[..at]).unwrap();
            assert!(ledger::verify_file(&altered, Some(head.into())).is_err(), "cut at {at}");
        }
        std::fs::write(&altered, [&bytes[..], b"H"].concat()).unwrap();
        assert!(
            ledger::verify_file(&altered, Some(head.into())).is_err(),
            "something follows"
        );
    })
    .await;
}

const ORIGIN: &str = "e.example/ledger";

#[tokio::test(flavor = "multi_thread")]
async fn a_published_root_proves_each_entry_to_outsiders_and_goes_on_from_the_one_before() {
    each_engine(|test, _| async move {
        let store = &test.store;
        let (key, folder) = (
            SigningKey::generate(ORIGIN).unwrap(),
            test.folder.path().join("published"),
        );
        let mut publisher = Publisher::new(&[]);
        append(store, 0..5).await;
        let earlier = publisher.publish(store, &key, &folder).await.unwrap().unwrap();
        assert!(
            publisher.publish(store, &key, &folder).await.unwrap().is_none(),
            "nothing new"
        );
        append(store, 5..12).await;
        let later = publisher.publish(store, &key, &folder).await.unwrap().unwrap();
        assert_eq!((earlier.head.seq, later.head.seq), (5, 12));
        let published = ledger::published(&folder, key.public()).unwrap();
        assert_eq!(published, [earlier.clone(), later.clone()]);
        let known = || published.iter().map(Published::from);
        assert_eq!(ledger::verify(store, known()).await.unwrap().root, later.root);

        let (old, new) = (earlier.sign(&key), later.sign(&key));
        for seq in 1..=12 {
            let proof = ledger::prove_entry(store, key.public(), &new, seq).await.unwrap();
            let text = serde_json::to_string(&proof).unwrap();
            let read: Proof = serde_json::from_str(&text).unwrap();
            let Proven::Entry(told, checkpoint) = read.check(key.public()).unwrap() else {
                panic!()
            };
            assert_eq!((told.seq, &checkpoint), (seq, &later));
            assert_eq!(told.action, format!("action{}", (seq - 1) % 3));
            // Each value of it is covered.
            for (from, to) in [
                (format!("\"seq\":{seq},"), format!("\"seq\":{},", seq + 1)),
                ("\"action\":\"action".to_owned(), "\"action\":\"axtion".to_owned()),
                ("\"actor\":1".to_owned(), "\"actor\":2".to_owned()),
                ("\"count\":1".to_owned(), "\"count\":2".to_owned()),
                ("name".to_owned(), "nam".to_owned()),
                ("057".to_owned(), "058".to_owned()),
            ] {
                assert!(text.contains(&from), "{from}");
                let changed: Proof = serde_json::from_str(&text.replacen(&from, &to, 1)).unwrap();
                assert!(changed.check(key.public()).is_err(), "{from}");
            }
        }
        let beyond = ledger::prove_entry(store, key.public(), &old, 6).await;
        assert!(
            matches!(beyond, Err(StoreError::Ledger(Fault::Proof(_)))),
            "it was not published yet"
        );

        let proof = ledger::prove_extension(store, key.public(), &old, &new).await.unwrap();
        assert_eq!(
            proof.check(key.public()).unwrap(),
            Proven::Extension(earlier.clone(), later.clone())
        );
        let mut forged = later.clone();
        forged.root[0] ^= 1;
        let Proof::Extension { path, .. } = proof else { panic!() };
        let proof = Proof::Extension {
            earlier: old,
            later: forged.sign(&key),
            path,
        };
        assert!(matches!(proof.check(key.public()), Err(Fault::Proof(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_removal_and_change_is_found_against_what_was_published_and_nothing_is_signed_over_it() {
    each_engine(|test, clock| async move {
        let store = &test.store;
        let (key, folder) = (SigningKey::generate(ORIGIN).unwrap(), test.folder.path().join("published"));
        append(store, 0..9).await;
        Publisher::new(&[]).publish(store, &key, &folder).await.unwrap().unwrap();
        append(store, 9..12).await;
        Publisher::new(&ledger::published(&folder, key.public()).unwrap())
            .publish(store, &key, &folder)
            .await
            .unwrap()
            .unwrap();
        let published = ledger::published(&folder, key.public()).unwrap();
        tamper(store, "CREATE TABLE whole AS SELECT * FROM ledger").await;
        // The hash of an entry that was put in is another's: who can't compute hashes is found at once, who can at the
        // next published root, as the last two show.
        let put_in = "INSERT INTO ledger SELECT 5, at, actor_kind, actor_id, action, purpose, application, subject, fields, \
                      count, hash FROM whole WHERE seq = 5";
        for (what, how, expected) in [
            ("the first removed", vec!["DELETE FROM ledger WHERE seq = 1"], Fault::Missing { expected: 1, found: 2 }),
            ("one removed", vec!["DELETE FROM ledger WHERE seq = 6"], Fault::Missing { expected: 6, found: 7 }),
            ("the last removed", vec!["DELETE FROM ledger WHERE seq = 12"], Fault::CutOff { published: 12, found: 11 }),
            ("the end cut off before the first root", vec!["DELETE FROM ledger WHERE seq > 4"], Fault::CutOff { published: 9, found: 4 }),
            ("all removed", vec!["DELETE FROM ledger"], Fault::CutOff { published: 9, found: 0 }),
            (
                "two exchanged",
                vec![
                    "DELETE FROM ledger WHERE seq IN (3, 4)",
                    "INSERT INTO ledger SELECT 7 - seq, at, actor_kind, actor_id, action, purpose, application, subject, \
                     fields, count, hash FROM whole WHERE seq IN (3, 4)",
                ],
                Fault::Altered(3),
            ),
            ("a field changed", vec!["UPDATE ledger SET count = 7 WHERE seq = 12"], Fault::Altered(12)),
            (
                "one put in",
                vec![
                    "DELETE FROM ledger WHERE seq > 4",
                    put_in,
                    "INSERT INTO ledger SELECT seq + 1, at, actor_kind, actor_id, action, purpose, application, subject, \
                     fields, count, hash FROM whole WHERE seq > 4",
                ],
                Fault::Altered(6),
            ),
        ] {
            for step in how {
                tamper(store, step).await;
            }
            let known = || published.iter().map(Published::from);
            match ledger::verify(store, known()).await {
                Err(StoreError::Ledger(found)) => assert_eq!(found, expected, "{what}"),
                other => panic!("{what}: {other:?}"),
            }
            let path = test.folder.path().join("tampered");
            ledger::export(store, &path).await.unwrap();
            assert_eq!(ledger::verify_file(&path, known()), Err(expected), "{what}, from a file");
            let signed = Publisher::new(&published).publish(store, &key, &folder).await;
            assert!(matches!(signed, Err(StoreError::Ledger(_))), "{what}");
            tamper(store, "DELETE FROM ledger").await;
            tamper(store, "INSERT INTO ledger SELECT * FROM whole").await;
            ledger::verify(store, known()).await.unwrap();
        }
        // Rewritten by somebody who computes the hashes anew: it holds together, and falls short of what was published.
        for (keep, expected) in [(10, 12), (6, 9), (0, 9)] {
            tamper(store, format!("DELETE FROM ledger WHERE seq > {keep}")).await;
            let again = test.reopen(test.master_keys.clone(), clock.clone()).await.unwrap();
            append(&again, 100..120).await;
            ledger::verify(&again, None).await.unwrap();
            let known = || published.iter().map(Published::from);
            assert_eq!(
                ledger::verify(&again, known()).await.map_err(|error| error.to_string()),
                Err(Fault::Rewritten(expected).to_string()),
                "from entry {keep}"
            );
            let path = test.folder.path().join("rewritten");
            ledger::export(&again, &path).await.unwrap();
            assert_eq!(ledger::verify_file(&path, known()), Err(Fault::Rewritten(expected)));
            // A root that was published with the right head and another tree is found too.
            let mut other = Published::from(ledger::head(again.read()).await.unwrap());
            other.root = Some([7; 32]);
            assert_eq!(ledger::verify_file(&path, [other]), Err(Fault::Rewritten(other.head.seq)));
            again.close().await;
            tamper(store, "DELETE FROM ledger").await;
            tamper(store, "INSERT INTO ledger SELECT * FROM whole").await;
        }
        tamper(store, "DROP TABLE whole").await;
    })
    .await;
}

#[test]
fn a_large_file_is_verified_in_blocks_and_a_fault_is_told_at_its_first_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    // Three whole blocks of 4,096 entries and a part of one.
    let (entries, record) = (4_096 * 3 + 17, 147);
    let head = store::ledger::generate(&path, entries).unwrap();
    let verified = ledger::verify_file(&path, [head.into()]).unwrap();
    assert_eq!((verified.entries, verified.head), (entries, head));
    let bytes = std::fs::read(&path).unwrap();
    let first = bytes.len() - 41 - record * usize::try_from(entries).unwrap();
    for seq in [1_usize, 4_096, 4_097, 9_000, 12_289, 12_305] {
        let at = first + record * (seq - 1);
        let mut copy = bytes.clone();
        copy[at + 12] ^= 1;
        // A later fault, in another block, must not be told first.
        copy[first + record * 12_300 + 12] ^= 1;
        std::fs::write(&path, &copy).unwrap();
        assert_eq!(
            ledger::verify_file(&path, None),
            Err(Fault::Altered(seq.min(12_301) as u64))
        );
        let gone = [&bytes[..at], &bytes[at + record..]].concat();
        std::fs::write(&path, &gone).unwrap();
        let found = ledger::verify_file(&path, None).unwrap_err();
        let expected = match seq as u64 {
            last if last == entries => Fault::File("its head is not that of its last entry".into()),
            seq => Fault::Missing {
                expected: seq,
                found: seq + 1,
            },
        };
        assert_eq!(found, expected);
    }
    // Roots within a block, at its end and of the whole are met however the file is cut into blocks.
    for published in [1_u64, 4_095, 4_096, 4_097, 8_192, entries] {
        store::ledger::generate(&path, published).unwrap();
        let then = ledger::verify_file(&path, None).unwrap();
        store::ledger::generate(&path, entries).unwrap();
        let known = Published {
            head: then.head,
            root: Some(then.root),
        };
        assert_eq!(ledger::verify_file(&path, [known]).unwrap(), verified);
        let wrong = Published {
            root: Some([0; 32]),
            ..known
        };
        assert_eq!(ledger::verify_file(&path, [wrong]), Err(Fault::Rewritten(published)));
    }
}
