//! Lookups: who may ask what about whom, and that each answer stands in the record of use of the person it is about.

use std::path::Path;
use std::sync::Arc;

use cases::datasets::arrive::Decision;
use cases::datasets::{Datasets, Places, lookup, steward};
use cases::{CaseError, Desk, Role, collect};
use civic::Channel;
use civic::ids::ApplicationId;
use hub::{Dataset, Job, Lake, Outcome};
use store::sea_orm::ConnectionTrait as _;
use store::{StoreError, ledger};

use crate::support::{Kit, ZH, each_engine, national_id};

const SERVICE: &str = "low-income";
const PERMITS: &str = "disabled-parking-permits";
const KEY: &str = "000102030405060708090a0b0c0d0e0f";

const HEADING: &str = "識別證號,身分證字號,姓名,車號,車主關係,生效日期,有效期限,身障證明期限,備註\n";

/// Permits as their source writes them, one of each of these persons.
fn permits(persons: &[u32]) -> String {
    let row = |person: &u32| {
        let id = national_id(*person);
        format!("P{person:07},{},林阿梅,無,無,113/01/15,118/01/14,永久,\n", id.reveal())
    };
    HEADING.to_owned() + &persons.iter().map(row).collect::<String>()
}

/// Where the datasets of a city are that has the permits alone, in UTF-8.
fn places(home: &Path, edit: impl Fn(&str) -> String) -> Places {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../datasets")
        .join(PERMITS);
    let folder = home.join("datasets").join(PERMITS);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(root.join("owners.csv"), folder.join("owners.csv")).unwrap();
    let text = std::fs::read_to_string(root.join("dataset.toml")).unwrap();
    std::fs::write(
        folder.join("dataset.toml"),
        edit(&text.replace("\"big5\"", "\"utf-8\"")),
    )
    .unwrap();
    let places = Places {
        folders: home.join("datasets"),
        lake: home.join("lake"),
        work: home.join("work"),
        keys: home.join("keys"),
    };
    std::fs::create_dir_all(&places.keys).unwrap();
    std::fs::write(places.keys.join(format!("{PERMITS}.key")), KEY).unwrap();
    places
}

/// A lake with one permit of each of these persons, and its datasets.
async fn datasets(home: &Path, kit: &Kit, persons: &[u32], edit: impl Fn(&str) -> String) -> Datasets {
    let places = places(home, edit);
    let source = home.join("permits.csv");
    std::fs::write(&source, permits(persons)).unwrap();
    let lake = Lake::local(&places.lake).unwrap();
    let dataset = Arc::new(Dataset::load(&places.folders.join(PERMITS)).unwrap());
    let key: Vec<u8> = (0..16).collect();
    let job = Job::new(&places.work, Some(&key), kit.desk.now());
    let report = hub::ingest(&lake, &dataset, &source, &job).await.unwrap();
    assert_eq!(report.outcome, Outcome::Published(1), "{report:?}");
    let (datasets, unusable) = Datasets::open(&places).unwrap();
    assert!(unusable.is_empty(), "{unusable:?}");
    datasets
}

async fn sql(desk: &Desk, statement: String) {
    let done = desk.store.write(move |tx| {
        Box::pin(async move {
            tx.execute_unprepared(&statement)
                .await
                .map(drop)
                .map_err(StoreError::from)
        })
    });
    done.await.unwrap();
}

/// A case of this person in a state.
async fn case(kit: &Kit, person: u32, state: &str) -> ApplicationId {
    let person = kit.person(person).await;
    let id = collect::open(&kit.desk, &person, SERVICE, Channel::Online, ZH)
        .await
        .unwrap();
    move_to(kit, id, state).await;
    id
}

async fn move_to(kit: &Kit, id: ApplicationId, state: &str) {
    let id = match kit.desk.store.read().get_database_backend() {
        store::sea_orm::DbBackend::Sqlite => format!("x'{}'", id.uuid().simple()),
        _ => format!("'{}'", id.uuid()),
    };
    sql(
        &kit.desk,
        format!("UPDATE application SET state = '{state}' WHERE id = {id}"),
    )
    .await;
}

fn ask_for(item: &str) -> Option<String> {
    Some(item.to_owned())
}

#[tokio::test]
async fn an_answer_has_its_provenance_and_stands_in_the_record_of_use() {
    each_engine(|kit| async move {
        let home = tempfile::tempdir().unwrap();
        let datasets = datasets(home.path(), &kit, &[1, 2, 3], str::to_owned).await;
        let kit = kit.knowing(datasets);
        let officer = kit.staff("officer", Role::Officer).await;
        let id = case(&kit, 2, "review").await;
        let before = kit.ledger_holds().await;
        let answer = lookup::ask(&kit.desk, &officer, id, 0, ask_for("p1")).await.unwrap();
        let found = &answer.found;
        assert_eq!((found.dataset.as_str(), found.version, found.more), (PERMITS, 1, false));
        assert_eq!(found.loaded, kit.desk.now());
        let row = &found.rows[0];
        assert_eq!((found.rows.len(), row.place), (1, 1));
        assert_eq!(
            row.values,
            [Some("2024-01-15".to_owned()), Some("2029-01-14".to_owned())]
        );
        assert_eq!(answer.question.about.as_deref(), Some("林阿梅2"));
        assert_eq!(kit.ledger_holds().await, before + 1);
        // the person finds it among the uses of their data
        let person = kit.person(2).await;
        let uses = ledger::of_subject(kit.desk.store.read(), &person.lookup, None, 1)
            .await
            .unwrap();
        let entry = &uses[0].entry;
        assert_eq!((entry.action.as_str(), entry.count), ("lookup", 1));
        assert_eq!(entry.actor_id, Some(officer.id.uuid()));
        assert_eq!(entry.application, Some(id));
        assert_eq!(
            (entry.purpose.code.as_str(), entry.purpose.function.as_str()),
            ("057", "lookup")
        );
        assert!(entry.purpose.basis.starts_with("社會救助法 §44-3"));
        assert_eq!(
            entry.fields,
            [format!("{PERMITS}.valid_from"), format!("{PERMITS}.valid_until")]
        );
        // knowing nothing is an answer too
        let id = case(&kit, 4, "review").await;
        let answer = lookup::ask(&kit.desk, &officer, id, 0, ask_for("p1")).await.unwrap();
        assert!(answer.found.rows.is_empty());
        assert_eq!(
            kit.ledger_holds().await,
            before + 3,
            "one for the opened case, one for the lookup"
        );
    })
    .await;
}

#[tokio::test]
async fn who_may_not_ask_gets_nothing_and_leaves_nothing() {
    each_engine(|kit| async move {
        let home = tempfile::tempdir().unwrap();
        let datasets = datasets(home.path(), &kit, &[1], str::to_owned).await;
        let kit = kit.knowing(datasets);
        let officer = kit.staff("officer", Role::Officer).await;
        let id = case(&kit, 1, "review").await;
        let before = kit.ledger_holds().await;
        for role in Role::ALL {
            let mut staff = kit.staff(&format!("one-{}", role.word()), role).await;
            let asked = lookup::ask(&kit.desk, &staff, id, 0, ask_for("p1")).await;
            let may = matches!(role, Role::Officer | Role::Supervisor);
            assert_eq!(asked.is_ok(), may, "{role:?}");
            staff.agency = "臺中市政府教育局".to_owned();
            let asked = lookup::ask(&kit.desk, &staff, id, 0, ask_for("p1")).await;
            assert!(matches!(asked, Err(CaseError::Refused(_))), "{role:?} elsewhere");
        }
        assert_eq!(
            kit.ledger_holds().await,
            before + 2,
            "the officer's and the supervisor's"
        );
        let ask = |number, item: Option<String>| lookup::ask(&kit.desk, &officer, id, number, item);
        assert!(matches!(ask(1, ask_for("p1")).await, Err(CaseError::NotFound(_))));
        assert!(matches!(ask(0, ask_for("p2")).await, Err(CaseError::NotFound(_))));
        assert!(matches!(ask(0, None).await, Err(CaseError::NotFound(_))));
        for state in ["withdrawn", "completed", "approved"] {
            move_to(&kit, id, state).await;
            let asked = ask(0, ask_for("p1")).await;
            assert!(matches!(asked, Err(CaseError::Refused(_))), "{state}");
        }
        for state in ["draft", "disposed"] {
            move_to(&kit, id, state).await;
            assert!(
                matches!(ask(0, ask_for("p1")).await, Err(CaseError::NotFound(_))),
                "{state}"
            );
        }
        assert_eq!(kit.ledger_holds().await, before + 2);
    })
    .await;
}

#[tokio::test]
async fn a_dataset_for_another_purpose_is_not_asked() {
    each_engine(|kit| async move {
        let home = tempfile::tempdir().unwrap();
        let other = |text: &str| text.replace("purposes = [\"057\"]", "purposes = [\"063\"]");
        let datasets = datasets(home.path(), &kit, &[1], other).await;
        let kit = kit.knowing(datasets);
        let officer = kit.staff("officer", Role::Officer).await;
        let id = case(&kit, 1, "review").await;
        let before = kit.ledger_holds().await;
        let asked = lookup::ask(&kit.desk, &officer, id, 0, ask_for("p1")).await;
        assert!(matches!(asked, Err(CaseError::Refused(_))));
        assert_eq!(kit.ledger_holds().await, before);
        let file = cases::review::case(&kit.desk, &officer, id).await.unwrap();
        assert!(file.lookups.is_empty());
    })
    .await;
}

#[tokio::test]
async fn datasets_that_can_not_be_used_are_told() {
    let home = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
    let places = Places {
        folders: root,
        lake: home.path().join("lake"),
        work: home.path().join("work"),
        keys: home.path().join("keys"),
    };
    let (datasets, unusable) = Datasets::open(&places).unwrap();
    assert!(datasets.get(PERMITS).is_none());
    let told = unusable.iter().find(|one| one.id == PERMITS).unwrap();
    assert!(
        told.why.to_string().contains("disabled-parking-permits.key"),
        "{}",
        told.why
    );
    std::fs::create_dir_all(&places.keys).unwrap();
    std::fs::write(places.keys.join(format!("{PERMITS}.key")), "no key").unwrap();
    let (_, unusable) = Datasets::open(&places).unwrap();
    let told = unusable.iter().find(|one| one.id == PERMITS).unwrap();
    assert!(!told.why.to_string().contains("no key"), "keys stay out of errors");
}

/// Puts a file where files arrive.
fn arrives(home: &Path, name: &str, text: &str) {
    let inbox = home.join("work/inbox").join(PERMITS);
    std::fs::create_dir_all(&inbox).unwrap();
    std::fs::write(inbox.join(name), text).unwrap();
    // files of one moment are in the order of their names
    let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let file = std::fs::File::options().write(true).open(inbox.join(name)).unwrap();
    file.set_modified(at).unwrap();
}

fn inbox(home: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(home.join("work/inbox").join(PERMITS)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A city whose datasets have nothing yet.
fn empty(kit: Kit, home: &Path) -> Kit {
    let (datasets, unusable) = Datasets::open(&places(home, str::to_owned)).unwrap();
    assert!(unusable.is_empty(), "{unusable:?}");
    kit.knowing(datasets)
}

async fn bring_in(kit: &Kit) {
    let unusable = kit.desk.datasets.as_ref().unwrap().bring_in(kit.desk.now()).await;
    assert!(unusable.is_empty(), "{unusable:?}");
}

#[tokio::test]
async fn what_arrives_is_brought_in_and_what_is_held_waits_for_the_steward() {
    each_engine(|kit| async move {
        let home = tempfile::tempdir().unwrap();
        let kit = empty(kit, home.path());
        let steward = kit.staff("steward", Role::Steward).await;
        arrives(home.path(), "1.csv", &permits(&[1, 2, 3, 4]));
        arrives(home.path(), ".2.csv", "not whole yet");
        bring_in(&kit).await;
        assert_eq!(inbox(home.path()), [".2.csv"]);
        let set = &steward::list(&kit.desk, &steward).await.unwrap()[0];
        let latest = set.latest.unwrap();
        assert_eq!((latest.version, latest.rows, set.late), (1, 4, false));
        assert_eq!(set.expected.unwrap().to_string(), "2026-12-05");
        // a source with a column that nobody described, then one with few permits
        let strange = permits(&[1]).replace("備註", "新欄位");
        arrives(home.path(), "3.csv", &strange);
        arrives(home.path(), "4.csv", &permits(&[1]));
        bring_in(&kit).await;
        let show = || steward::show(&kit.desk, &steward, PERMITS);
        let set = show().await.unwrap().row;
        let waiting = set.waiting.unwrap();
        assert_eq!((waiting.file.as_str(), set.queued), ("3.csv", 1));
        assert!(waiting.why[0].why.contains("`新欄位`"), "{waiting:?}");
        // nothing is tried again by itself, nor overtakes it
        bring_in(&kit).await;
        assert_eq!(show().await.unwrap().runs.len(), 2);
        let decide = |file, decision| steward::decide(&kit.desk, &steward, PERMITS, file, decision);
        let other = decide("4.csv", Decision::Discard).await;
        assert!(matches!(other, Err(CaseError::Conflict(_))));
        decide("3.csv", Decision::Discard).await.unwrap();
        bring_in(&kit).await;
        let set = show().await.unwrap().row;
        let waiting = set.waiting.unwrap();
        assert_eq!(waiting.why[0].rule.as_deref(), Some("no sudden loss of permits"));
        assert_eq!(set.latest.unwrap().version, 1);
        decide("4.csv", Decision::Accept).await.unwrap();
        kit.wait(1);
        bring_in(&kit).await;
        let view = show().await.unwrap();
        assert!(view.row.waiting.is_none());
        assert_eq!(
            (view.row.latest.unwrap().version, view.row.latest.unwrap().rows),
            (2, 1)
        );
        assert_eq!(view.runs.len(), 4);
        assert_eq!(inbox(home.path()), [".2.csv"]);
        // five weeks later nothing has come
        kit.wait(35 * 24);
        assert!(steward::list(&kit.desk, &steward).await.unwrap()[0].late);
    })
    .await;
}

#[tokio::test]
async fn rows_that_were_not_taken_are_mended_by_their_steward_alone() {
    each_engine(|kit| async move {
        let home = tempfile::tempdir().unwrap();
        let kit = empty(kit, home.path());
        let steward = kit.staff("steward", Role::Steward).await;
        let wrong = permits(&[1, 2, 3]).replace("P0000002,", "P0000002,X");
        arrives(home.path(), "1.csv", &wrong);
        bring_in(&kit).await;
        let set = &steward::list(&kit.desk, &steward).await.unwrap()[0];
        let load = set.rejected[0].clone();
        let before = kit.ledger_holds().await;
        for role in Role::ALL {
            let mut other = kit.staff(&format!("other-{}", role.word()), role).await;
            if role == Role::Steward {
                other.agency = "臺中市政府教育局".to_owned();
                assert!(steward::list(&kit.desk, &other).await.unwrap().is_empty());
            } else {
                assert!(matches!(
                    steward::list(&kit.desk, &other).await,
                    Err(CaseError::Refused(_))
                ));
            }
            let seen = steward::rejects(&kit.desk, &other, PERMITS, &load, 0).await;
            assert!(matches!(seen, Err(CaseError::Refused(_))), "{role:?}");
            let decided = steward::decide(&kit.desk, &other, PERMITS, "x", Decision::Accept).await;
            assert!(matches!(decided, Err(CaseError::Refused(_))), "{role:?}");
            let mended = steward::mend(&kit.desk, &other, PERMITS, &load, 3, Default::default()).await;
            assert!(matches!(mended, Err(CaseError::Refused(_))), "{role:?}");
        }
        assert_eq!(kit.ledger_holds().await, before);
        let rejects = steward::rejects(&kit.desk, &steward, PERMITS, &load, 0).await.unwrap();
        assert_eq!((rejects.count, rejects.rows[0].place), (1, 3));
        assert_eq!(rejects.rows[0].reasons[0].column, "holder");
        assert_eq!(kit.ledger_holds().await, before + 1);
        let mend = |id: String| {
            let cells = [("身分證字號".to_owned(), Some(id))].into();
            steward::mend(&kit.desk, &steward, PERMITS, &load, 3, cells)
        };
        assert!(!mend("X".to_owned()).await.unwrap(), "still wrong");
        assert!(mend(national_id(2).reveal().to_owned()).await.unwrap());
        assert_eq!(kit.ledger_holds().await, before + 3);
        assert!(matches!(mend("X".to_owned()).await, Err(CaseError::Conflict(_))));
        let set = steward::show(&kit.desk, &steward, PERMITS).await.unwrap().row;
        assert_eq!((set.rejected.len(), set.latest.unwrap().rows), (0, 3));
        let entries = ledger::between(kit.desk.store.read(), None, None, None, 1)
            .await
            .unwrap();
        let entry = &entries[0].entry;
        assert_eq!((entry.action.as_str(), entry.count, entry.subject), ("mend", 1, None));
        assert!(entry.fields.contains(&format!("{PERMITS}.holder")));
    })
    .await;
}
