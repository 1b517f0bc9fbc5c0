//! Backups: made while others write, destroyed, restored into an empty place and compared; whatever is wrong with one is told.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use civic::FixedClock;
use store::StoreConfig;
use store::backup::{self, BackupError, Target};
use store::ledger::{self, Published};
use store::seal::Place;
use store::testing::{self, TestStore};
use store::{Store, StoreError};
use uuid::Uuid;

use crate::support::{CASE, OTHER_CASE, clock, each_engine, entry, grant, key, tamper, write};

/// An empty place of the same engine, with the register as it is kept apart.
async fn empty_place(test: &TestStore, folder: &Path) -> Target {
    let url = match test.url.starts_with("sqlite") {
        true => format!("sqlite://{}", folder.join("tongban.db").display()),
        false => testing::postgres_database().await.unwrap(),
    };
    Target {
        url,
        files: folder.join("files"),
        keys: Vec::new(),
        register: test.folder.path().join("destroyed"),
    }
}

async fn open(test: &TestStore, target: &Target) -> Store {
    let config = StoreConfig {
        url: target.url.clone(),
        files: target.files.clone(),
        master_keys: test.master_keys.clone(),
        lookup_key: test.lookup_key.clone(),
        policies: None,
        destroyed: Some(target.register.clone()),
    };
    Store::open(config, clock()).await.unwrap()
}

async fn create(test: &TestStore, out: &Path) -> backup::Manifest {
    let at = test.store.now();
    backup::create(&test.url, &test.folder.path().join("files"), &[], out, at)
        .await
        .unwrap()
}

async fn append(store: &Store, number: u8) {
    write(store, move |tx| {
        Box::pin(async move { ledger::append(tx, entry(number)).await.map(drop) })
    })
    .await;
}

/// A small platform: a case with a sealed file, one whose key was destroyed before anything was backed up, some uses.
async fn furnish(test: &TestStore) -> civic::ids::FileId {
    let store = &test.store;
    let case = key(store, CASE).await;
    let file = store.files().put(store, case, b"a scan").await.unwrap();
    let gone = key(store, Uuid::from_u128(0x44)).await;
    let seal = store.seal().clone();
    write(store, move |tx| {
        Box::pin(async move { seal.destroy(tx, gone, "retention").await })
    })
    .await;
    for number in 0..5 {
        append(store, number).await;
    }
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_others_write_is_restored_and_is_as_it_was() {
    each_engine(|test, _| async move {
        let file = furnish(&test).await;
        // Writers that go on from before the backup until after it.
        let stop = Arc::new(AtomicBool::new(false));
        let begun = ledger::head(test.store.read()).await.unwrap().seq;
        let writer = tokio::spawn({
            let (store, stop) = (test.store.clone(), Arc::clone(&stop));
            async move {
                let case = key(&store, OTHER_CASE).await;
                let mut files = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    files.push(store.files().put(&store, case, b"another").await.unwrap());
                    append(&store, 9).await;
                }
                files
            }
        });
        while ledger::head(test.store.read()).await.unwrap().seq < begun + 5 {
            tokio::task::yield_now().await;
        }
        let (out, place) = (test.folder.path().join("backup"), tempfile::tempdir().unwrap());
        let manifest = create(&test, &out).await;
        let after = ledger::head(test.store.read()).await.unwrap();
        stop.store(true, Ordering::Relaxed);
        let files = writer.await.unwrap();
        let head: ledger::Head = manifest.head.parse().unwrap();
        assert!((begun + 5..=after.seq).contains(&head.seq), "a moment in between");
        let mut root = [0; 32];
        hex_into(&manifest.root, &mut root);
        let published = Published { head, root: Some(root) };
        ledger::verify(&test.store, [published]).await.unwrap();
        assert_eq!(backup::verify(&out).await.unwrap(), manifest);

        // Destroyed: nothing of the old place is used again but the keys and the register, which are kept apart.
        test.store.close().await;
        std::fs::remove_dir_all(test.folder.path().join("files")).unwrap();
        let target = empty_place(&test, place.path()).await;
        let restored = backup::restore(&out, &target).await.unwrap();
        assert_eq!((&restored.manifest, restored.destroyed_again), (&manifest, 0));
        let again = open(&test, &target).await;
        let verified = ledger::verify(&again, [published]).await.unwrap();
        assert_eq!((verified.head, verified.root), (head, root));
        let scan = again.files().get(&again, &grant(&again, CASE), file).await.unwrap();
        assert_eq!(scan.as_slice(), b"a scan");
        // Every file that the moment of the database knew is there: the writer put each before its entry.
        for file in files.iter().take(usize::try_from(head.seq - begun).unwrap()) {
            again
                .files()
                .get(&again, &grant(&again, OTHER_CASE), *file)
                .await
                .unwrap();
        }
        // It goes on from there.
        append(&again, 1).await;
        assert_eq!(ledger::verify(&again, [published]).await.unwrap().entries, head.seq + 1);
        again.close().await;
    })
    .await;
}

fn hex_into(text: &str, bytes: &mut [u8; 32]) {
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_destroyed_after_the_backup_stays_destroyed_when_it_is_restored() {
    each_engine(|test, own: Arc<FixedClock>| async move {
        let store = &test.store;
        furnish(&test).await;
        let (ends, stays) = (key(store, OTHER_CASE).await, key(store, CASE).await);
        let row = Uuid::from_u128(7);
        let place = Place::new("application", "answers", &row);
        let sealed = store
            .seal()
            .seal(store.read(), ends, place, b"what was told")
            .await
            .unwrap();
        let kept = store
            .seal()
            .seal(store.read(), stays, place, b"what is kept")
            .await
            .unwrap();
        let (out, folder) = (test.folder.path().join("backup"), tempfile::tempdir().unwrap());
        create(&test, &out).await;
        own.advance(jiff::SignedDuration::from_hours(24));
        let seal = store.seal().clone();
        write(store, move |tx| {
            Box::pin(async move { seal.destroy(tx, ends, "retention").await })
        })
        .await;

        // Without the register the older backup would bring the key back, so there is no restoring without it.
        let target = empty_place(&test, folder.path()).await;
        let register = target.register.clone();
        let away = register.with_extension("away");
        std::fs::rename(&register, &away).unwrap();
        let refused = backup::restore(&out, &target).await;
        assert!(matches!(refused, Err(BackupError::NoRegister(_))), "{refused:?}");
        // Nor with one that is older than the backup.
        std::fs::write(&register, "tongban destroyed keys 1\n").unwrap();
        let refused = backup::restore(&out, &target).await;
        assert!(
            matches!(refused, Err(BackupError::StaleRegister { missing: 1, .. })),
            "{refused:?}"
        );
        std::fs::rename(&away, &register).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let target = empty_place(&test, folder.path()).await;
        let restored = backup::restore(&out, &target).await.unwrap();
        assert_eq!(restored.destroyed_again, 1);
        let again = open(&test, &target).await;
        let opened = again
            .seal()
            .open(again.read(), &grant(&again, OTHER_CASE), ends, place, &sealed)
            .await;
        assert!(matches!(opened, Err(StoreError::KeyDestroyed(_))), "{opened:?}");
        let opened = again
            .seal()
            .open(again.read(), &grant(&again, CASE), stays, place, &kept)
            .await
            .unwrap();
        assert_eq!(opened.as_slice(), b"what is kept");
        again.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_the_commit_and_the_register_is_made_good_at_the_next_start() {
    each_engine(|test, clock| async move {
        furnish(&test).await;
        let register = test.folder.path().join("destroyed");
        let whole = std::fs::read_to_string(&register).unwrap();
        assert_eq!(whole.lines().count(), 2, "{whole}");
        // Cut off within the line, and not written at all.
        for left in [whole.len() - 5, "tongban destroyed keys 1\n".len() + 20, 25, 0] {
            std::fs::write(&register, &whole[..left]).unwrap();
            let again = test.reopen(test.master_keys.clone(), clock.clone()).await.unwrap();
            again.close().await;
            let id = whole.lines().nth(1).unwrap().split(' ').next().unwrap();
            let lines = std::fs::read_to_string(&register).unwrap();
            assert!(
                lines
                    .lines()
                    .any(|line| line.starts_with(id) && line.split(' ').count() == 3),
                "{lines}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_with_anything_wrong_is_told_and_not_restored() {
    each_engine(|test, _| async move {
        furnish(&test).await;
        let (out, folder) = (test.folder.path().join("backup"), tempfile::tempdir().unwrap());
        let manifest = create(&test, &out).await;
        let target = empty_place(&test, folder.path()).await;
        let names: Vec<PathBuf> = manifest.files.keys().map(|name| out.join(name)).collect();
        assert_eq!(names.len(), 2, "the database and a file");
        for path in names.iter().chain([&out.join("manifest.json")]) {
            let whole = std::fs::read(path).unwrap();
            let mut changed = whole.clone();
            changed[whole.len() / 2] ^= 1;
            for bad in [&changed[..], &whole[..whole.len() - 1], &[]] {
                std::fs::write(path, bad).unwrap();
                let told = backup::restore(&out, &target).await.unwrap_err();
                assert!(matches!(told, BackupError::Changed(_)), "{}: {told}", path.display());
            }
            std::fs::remove_file(path).unwrap();
            let told = backup::restore(&out, &target).await.unwrap_err();
            assert!(
                matches!(told, BackupError::Missing(_) | BackupError::Unfinished(_)),
                "{told}"
            );
            std::fs::write(path, whole).unwrap();
        }
        std::fs::write(out.join("files/more"), "x").unwrap();
        let told = backup::verify(&out).await.unwrap_err();
        assert!(matches!(told, BackupError::Stranger(_)), "{told}");
        std::fs::remove_file(out.join("files/more")).unwrap();

        // A manifest that was written anew with its digest: another form, a path outside, other rows, another root.
        let path = out.join("manifest.json");
        let good = std::fs::read_to_string(&path).unwrap();
        let seal = std::fs::read_to_string(out.join("manifest.sha256")).unwrap();
        let rows = manifest.tables["data_key"];
        for (from, to, wanted) in [
            ("\"form\": 1".to_owned(), "\"form\": 2".to_owned(), "form 2"),
            ("\"files/".to_owned(), "\"files/../../".to_owned(), "not a path inside"),
            (
                format!("\"data_key\": {rows}"),
                format!("\"data_key\": {}", rows + 1),
                "`data_key`",
            ),
            (
                manifest.root.clone(),
                "00".repeat(32),
                "another hash than the published one",
            ),
        ] {
            assert!(good.contains(&from), "{from}");
            std::fs::write(&path, good.replacen(&from, &to, 1)).unwrap();
            std::fs::write(out.join("manifest.sha256"), testing::sha256(&path)).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let target = empty_place(&test, folder.path()).await;
            let told = backup::restore(&out, &target).await.unwrap_err().to_string();
            assert!(told.contains(wanted), "{told}");
            assert!(
                !folder.path().join("tongban.db").exists(),
                "no database that could be opened"
            );
        }
        std::fs::write(&path, good).unwrap();
        std::fs::write(out.join("manifest.sha256"), seal).unwrap();

        // Into an empty place only, and not without the keys.
        let without = Target {
            keys: vec![("master", folder.path().join("master"))],
            ..target.clone()
        };
        let told = backup::restore(&out, &without).await.unwrap_err();
        assert!(matches!(told, BackupError::NoKey(_)), "{told}");
        backup::restore(&out, &target).await.unwrap();
        let told = backup::restore(&out, &target).await.unwrap_err();
        assert!(matches!(told, BackupError::NotEmpty(_)), "{told}");
        let emptied = Target {
            files: folder.path().join("elsewhere"),
            ..target
        };
        let told = backup::restore(&out, &emptied).await.unwrap_err();
        assert!(
            matches!(told, BackupError::NotEmpty(_)),
            "the database is there: {told}"
        );
        let told = backup::create(
            &test.url,
            &test.folder.path().join("files"),
            &[],
            &out,
            test.store.now(),
        )
        .await;
        assert!(
            matches!(told, Err(BackupError::NotEmpty(_))),
            "nothing is written over a backup"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_are_in_a_backup_only_when_asked_for_and_a_broken_ledger_in_none() {
    each_engine(|test, _| async move {
        furnish(&test).await;
        let path = |name: &str| test.folder.path().join(name);
        std::fs::write(path("master"), "1 secret\n").unwrap();
        create(&test, &path("plain")).await;
        assert!(!path("plain/keys").exists());
        let keys = [("master", path("master"))];
        let made = backup::create(&test.url, &path("files"), &keys, &path("full"), test.store.now()).await;
        assert!(made.unwrap().keys);
        let folder = tempfile::tempdir().unwrap();
        let target = Target {
            keys: vec![("master", folder.path().join("keys/master"))],
            ..empty_place(&test, folder.path()).await
        };
        backup::restore(&path("full"), &target).await.unwrap();
        assert_eq!(
            std::fs::read_to_string(folder.path().join("keys/master")).unwrap(),
            "1 secret\n"
        );

        tamper(&test.store, "UPDATE ledger SET count = 9 WHERE seq = 2").await;
        let told = backup::create(&test.url, &path("files"), &[], &path("broken"), test.store.now()).await;
        let told = told.unwrap_err().to_string();
        assert!(told.contains("entry 2 does not fit its hash"), "{told}");
        let told = backup::verify(&path("broken")).await.unwrap_err();
        assert!(matches!(told, BackupError::Unfinished(_)), "{told}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_an_older_state_brings_back_by_hand_is_destroyed_at_the_next_start() {
    each_engine(|test, clock| async move {
        let store = &test.store;
        let (ends, stays) = (key(store, OTHER_CASE).await, key(store, CASE).await);
        tamper(store, "CREATE TABLE older AS SELECT * FROM data_key").await;
        let seal = store.seal().clone();
        write(store, move |tx| {
            Box::pin(async move { seal.destroy(tx, ends, "retention").await })
        })
        .await;
        tamper(store, "DELETE FROM data_key").await;
        tamper(store, "INSERT INTO data_key SELECT * FROM older").await;
        tamper(store, "DROP TABLE older").await;
        let again = test.reopen(test.master_keys.clone(), clock).await.unwrap();
        let row = Uuid::from_u128(7);
        let place = Place::new("application", "answers", &row);
        let sealed = again.seal().seal(again.read(), ends, place, b"x").await;
        assert!(matches!(sealed, Err(StoreError::KeyDestroyed(_))), "{sealed:?}");
        assert!(again.seal().seal(again.read(), stays, place, b"x").await.is_ok());
        again.close().await;
    })
    .await;
}
