//! Sealed values open where they lie, with their own key, for who is granted them; and never again once the key is gone.

use sea_orm::{ActiveModelTrait as _, EntityTrait as _, IntoActiveModel as _, Set};
use store::seal::{MasterKeys, Owner, Place};
use store::tables::data_key;
use store::{StoreError, sea_orm};

use crate::support::{CASE, ME, OTHER_CASE, each_engine, grant, key, write};

const PLACE: Place<'static> = Place {
    table: "application",
    column: "answers",
    row: CASE.as_bytes(),
};
const PLAIN: &[u8] = "林阿梅 A123456789".as_bytes();

#[tokio::test(flavor = "multi_thread")]
async fn a_value_opens_at_its_place_and_nowhere_else() {
    each_engine(|test, _| async move {
        let (store, seal) = (&test.store, test.store.seal());
        let (mine, other) = (key(store, CASE).await, key(store, OTHER_CASE).await);
        let sealed = seal.seal(store.read(), mine, PLACE, PLAIN).await.unwrap();
        assert!(!sealed.windows(3).any(|part| part == &PLAIN[..3]));
        assert_ne!(
            sealed,
            seal.seal(store.read(), mine, PLACE, PLAIN).await.unwrap(),
            "no two sealings are alike"
        );
        let granted = grant(store, CASE);
        assert_eq!(
            *seal.open(store.read(), &granted, mine, PLACE, &sealed).await.unwrap(),
            PLAIN
        );

        for place in [
            Place {
                column: "correction",
                ..PLACE
            },
            Place {
                table: "event",
                ..PLACE
            },
            Place {
                row: OTHER_CASE.as_bytes(),
                ..PLACE
            },
        ] {
            assert!(matches!(
                seal.open(store.read(), &granted, mine, place, &sealed).await,
                Err(StoreError::Unsealable { .. })
            ));
        }
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(
                matches!(
                    seal.open(store.read(), &granted, mine, PLACE, &altered).await,
                    Err(StoreError::Unsealable { .. })
                ),
                "byte {at}"
            );
        }
        assert!(seal.open(store.read(), &granted, mine, PLACE, &[]).await.is_err());
        // The key of another case, with a grant for that one.
        let wrong = seal
            .open(store.read(), &grant(store, OTHER_CASE), other, PLACE, &sealed)
            .await;
        assert!(matches!(wrong, Err(StoreError::Unsealable { .. })));
        // A grant for another case, and the platform's own way, open nothing of this one.
        let foreign = seal
            .open(store.read(), &grant(store, OTHER_CASE), mine, PLACE, &sealed)
            .await;
        assert!(matches!(foreign, Err(StoreError::NotGranted(_))));
        assert!(matches!(
            seal.open_own(store.read(), mine, PLACE, &sealed).await,
            Err(StoreError::NotGranted(_))
        ));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_is_rotated_while_values_stay_as_they_are() {
    each_engine(|test, clock| async move {
        let store = &test.store;
        let mine = key(store, CASE).await;
        for _ in 0..250 {
            key(store, OTHER_CASE).await;
        }
        let sealed = store.seal().seal(store.read(), mine, PLACE, PLAIN).await.unwrap();
        let rotated = test.master_keys.rotated().unwrap();
        let after = test.reopen(rotated.clone(), clock.clone()).await.unwrap();
        assert_eq!(
            *after
                .seal()
                .open(after.read(), &grant(&after, CASE), mine, PLACE, &sealed)
                .await
                .unwrap(),
            PLAIN
        );
        let moved = after.seal().rewrap(&after).await.unwrap();
        // The keys of the cases and the one of the sessions.
        assert_eq!((moved.version, moved.keys), (2, 252));
        assert_eq!(after.seal().rewrap(&after).await.unwrap().keys, 0);
        assert_eq!(after.seal().master_version(&after, mine).await.unwrap(), 2);
        after.close().await;

        // The old key may go now; without the new one nothing opens.
        let newest: String = rotated
            .to_text()
            .lines()
            .filter(|line| line.starts_with("2 "))
            .collect();
        let newest_only = test
            .reopen(MasterKeys::parse(&newest).unwrap(), clock.clone())
            .await
            .unwrap();
        let opened = newest_only
            .seal()
            .open(newest_only.read(), &grant(&newest_only, CASE), mine, PLACE, &sealed)
            .await;
        assert_eq!(*opened.unwrap(), PLAIN);
        newest_only.close().await;
        let old_only = test.reopen(test.master_keys.clone(), clock.clone()).await.unwrap();
        let lost = old_only
            .seal()
            .open(old_only.read(), &grant(&old_only, CASE), mine, PLACE, &sealed)
            .await;
        assert!(matches!(lost, Err(StoreError::NoMasterKey(2))));
        let stranger = test
            .reopen(MasterKeys::generate().unwrap().rotated().unwrap(), clock)
            .await
            .unwrap();
        let wrong = stranger
            .seal()
            .open(stranger.read(), &grant(&stranger, CASE), mine, PLACE, &sealed)
            .await;
        assert!(matches!(wrong, Err(StoreError::Unsealable { table: "data_key", .. })));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_key_ends_everything_it_sealed() {
    each_engine(|test, clock| async move {
        let store = &test.store;
        let mine = key(store, CASE).await;
        let sealed = store.seal().seal(store.read(), mine, PLACE, PLAIN).await.unwrap();
        let seal = store.seal().clone();
        let undone = store
            .write(move |tx| {
                Box::pin(async move {
                    seal.destroy(tx, mine, "retention").await?;
                    Err::<(), _>(StoreError::Closed)
                })
            })
            .await;
        assert!(undone.is_err());
        assert!(
            store
                .seal()
                .open(store.read(), &grant(store, CASE), mine, PLACE, &sealed)
                .await
                .is_ok(),
            "the write was undone"
        );
        for _ in 0..2 {
            let seal = store.seal().clone();
            write(store, move |tx| {
                Box::pin(async move { seal.destroy(tx, mine, "retention").await })
            })
            .await;
        }
        let gone = store
            .seal()
            .open(store.read(), &grant(store, CASE), mine, PLACE, &sealed)
            .await;
        assert!(
            matches!(gone, Err(StoreError::KeyDestroyed(id)) if id == mine.uuid()),
            "not even from memory"
        );
        let other = test.reopen(test.master_keys.clone(), clock).await.unwrap();
        assert!(matches!(
            other
                .seal()
                .open(other.read(), &grant(&other, CASE), mine, PLACE, &sealed)
                .await,
            Err(StoreError::KeyDestroyed(_))
        ));
        let row = data_key::Entity::find_by_id(mine.uuid())
            .one(store.read())
            .await
            .unwrap()
            .unwrap();
        assert_eq!((row.wrapped, row.destroyed_why.as_deref()), (None, Some("retention")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrapped_keys_cannot_be_exchanged_between_rows() {
    each_engine(|test, clock| async move {
        let store = &test.store;
        let (mine, other) = (key(store, CASE).await, key(store, OTHER_CASE).await);
        let sealed = store.seal().seal(store.read(), mine, PLACE, PLAIN).await.unwrap();
        let stolen = data_key::Entity::find_by_id(mine.uuid())
            .one(store.read())
            .await
            .unwrap()
            .unwrap()
            .wrapped;
        let thief = data_key::Entity::find_by_id(other.uuid())
            .one(store.read())
            .await
            .unwrap()
            .unwrap();
        write(store, move |tx| {
            Box::pin(async move {
                let mut row = thief.into_active_model();
                row.wrapped = Set(stolen);
                row.update(tx).await?;
                Ok(())
            })
        })
        .await;
        let fresh = test.reopen(test.master_keys.clone(), clock).await.unwrap();
        let opened = fresh
            .seal()
            .open(fresh.read(), &grant(&fresh, OTHER_CASE), other, PLACE, &sealed)
            .await;
        assert!(matches!(opened, Err(StoreError::Unsealable { table: "data_key", .. })));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lookups_are_keyed_and_kept_apart_by_kind() {
    let (one, two) = (
        store::testing::sqlite(crate::support::clock()).await,
        store::testing::sqlite(crate::support::clock()).await,
    );
    let lookup = one.store.seal().lookup("national_id", "A123456789");
    assert_eq!(lookup, one.store.seal().lookup("national_id", "A123456789"));
    assert_ne!(lookup, one.store.seal().lookup("phone", "A123456789"));
    assert_ne!(
        lookup,
        two.store.seal().lookup("national_id", "A123456789"),
        "another city has another key"
    );
    assert_ne!(one.store.seal().lookup("ab", "c"), one.store.seal().lookup("a", "bc"));
}

#[test]
fn a_key_file_says_which_line_is_wrong() {
    for (text, line) in [
        ("", "no key"),
        ("1 x", "line 1"),
        ("# remark\n0 AAAA", "line 2"),
        ("1", "line 1"),
    ] {
        let error = MasterKeys::parse(text).unwrap_err().to_string();
        assert!(error.contains(line), "{error}");
    }
    let keys = MasterKeys::generate().unwrap();
    let text = keys.to_text();
    assert_eq!(*MasterKeys::parse(&text).unwrap().to_text(), *text);
    assert!(
        MasterKeys::parse(&format!("{}{}", *text, text.lines().last().unwrap())).is_err(),
        "a version stands there twice"
    );
    assert!(!format!("{keys:?}").contains(text.lines().last().unwrap().split(' ').nth(1).unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_sealed_whole_and_go_with_their_key() {
    each_engine(|test, _| async move {
        let (store, files) = (&test.store, test.store.files());
        let mine = key(store, CASE).await;
        let content = vec![b'x'; 1 << 20];
        let id = files.put(store, mine, &content).await.unwrap();
        assert_eq!(*files.get(store, &grant(store, CASE), id).await.unwrap(), content);
        assert!(matches!(
            files.get(store, &grant(store, OTHER_CASE), id).await,
            Err(StoreError::NotGranted(_))
        ));
        assert!(matches!(files.get_own(store, id).await, Err(StoreError::NotGranted(_))));
        let too_large = files.put(store, mine, &vec![0; (50 << 20) + 1]).await;
        assert!(matches!(too_large, Err(StoreError::FileTooLarge { .. })));

        // Nothing of it lies on the disk in the clear, and an altered file does not open.
        let name = id.uuid().simple().to_string();
        let path = test.folder.path().join("files").join(&name[30..]).join(&name);
        let mut bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(16).any(|part| part == [b'x'; 16]));
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(
            files.get(store, &grant(store, CASE), id).await,
            Err(StoreError::Unsealable { .. })
        ));
        files.delete(id).await.unwrap();
        files.delete(id).await.unwrap();
        assert!(matches!(
            files.get(store, &grant(store, CASE), id).await,
            Err(StoreError::NoFile(_))
        ));

        let kept = files.put(store, mine, b"a letter").await.unwrap();
        let seal = store.seal().clone();
        write(store, move |tx| {
            Box::pin(async move { seal.destroy(tx, mine, "retention").await })
        })
        .await;
        assert!(matches!(
            files.get(store, &grant(store, CASE), kept).await,
            Err(StoreError::KeyDestroyed(_))
        ));

        let own = store.seal().clone();
        let key = write(store, move |tx| {
            Box::pin(async move { own.system_key(tx, "payments").await })
        })
        .await;
        let order = files.put(store, key, b"an order").await.unwrap();
        assert_eq!(*files.get_own(store, order).await.unwrap(), b"an order");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_keys_are_made_once() {
    each_engine(|test, _| async move {
        let ask = || {
            let seal = test.store.seal().clone();
            write(&test.store, move |tx| {
                Box::pin(async move { seal.system_key(tx, "payments").await })
            })
        };
        assert_eq!(ask().await, ask().await);
        let seal = test.store.seal().clone();
        let person = write(&test.store, move |tx| {
            Box::pin(async move { seal.new_key(tx, Owner::Person(ME)).await })
        })
        .await;
        assert_ne!(person, ask().await);
    })
    .await;
}
