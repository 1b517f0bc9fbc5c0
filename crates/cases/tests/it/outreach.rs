//! Who is entitled and does not receive is counted every night and invited once; who wants none is left in peace.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray};
use cases::outreach::{self, CampaignState, InvitationStanding as Standing, Number, Overview};
use cases::staff::{Role, Staff};
use cases::{CaseError, jobs, mine, register};
use jiff::civil::{Date, date};
use parquet::arrow::ArrowWriter;
use store::sea_orm::ColumnTrait as _;
use store::sea_orm::sea_query::Expr;
use store::sea_orm::{EntityTrait as _, QueryFilter as _};
use store::tables::{invitation, outbox};
use uuid::Uuid;

use crate::support::{Kit, SERVICE, each_engine, national_id};

const WEST: &str = "西區 民生里";
const NORTH: &str = "北區 中正里";

/// One resident of a small register, of a listed household.
struct Row {
    household: i64,
    number: u32,
    born: Date,
    area: &'static str,
    mail: bool,
}

fn row(number: u32, born: Date, area: &'static str, mail: bool) -> Row {
    Row {
        household: i64::from(number),
        number,
        born,
        area,
        mail,
    }
}

/// Four elders, of whom two can be reached by mail, and one who is too young.
fn residents() -> Vec<Row> {
    vec![
        row(21, date(1949, 3, 15), WEST, true),
        row(22, date(1945, 1, 1), WEST, false),
        row(23, date(1944, 1, 1), NORTH, true),
        row(24, date(1943, 1, 1), NORTH, false),
        row(25, date(1990, 1, 1), NORTH, true),
    ]
}

fn written(path: &Path, rows: &[Row]) {
    let n = rows.len();
    let text = |value: &str| Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, n))) as ArrayRef;
    let number = |value: i64| Arc::new(Int64Array::from(vec![value; n])) as ArrayRef;
    let truth = |value: bool| Arc::new(BooleanArray::from(vec![value; n])) as ArrayRef;
    let texts = |of: &dyn Fn(&Row) -> Option<String>| Arc::new(StringArray::from_iter(rows.iter().map(of))) as ArrayRef;
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    let mut add = |names: &[&str], column: ArrayRef| {
        for name in names {
            columns.push(((*name).to_owned(), Arc::clone(&column)));
        }
    };
    let households = rows.iter().map(|row| row.household);
    add(&["household"], Arc::new(Int64Array::from_iter_values(households)));
    let born = rows
        .iter()
        .map(|row| date(1970, 1, 1).until(row.born).unwrap().get_days());
    add(&["birth_date"], Arc::new(Date32Array::from_iter_values(born)));
    add(&["relation"], text("self"));
    add(
        &["exclusion", "disability", "work_obstacle", "case.other_allowance"],
        text("none"),
    );
    add(&["work_status"], text("not_working"));
    add(&["household.region"], text("taichung"));
    add(&["household.listed_status"], text("low"));
    add(&["days_in_country"], number(350));
    add(
        &["same_registration", "lives_together", "lives_at_registration"],
        truth(true),
    );
    add(
        &[
            "claims_as_dependant",
            "in_public_care",
            "in_custody",
            "student",
            "household.land_value_relief",
            "case.gives_up_other",
        ],
        truth(false),
    );
    add(
        &[
            "work_income",
            "interest_income",
            "dividend_income",
            "rent_income",
            "other_income",
            "deposits",
            "investments",
            "land_value",
            "land_not_counted",
            "house_value",
            "case.other_public_aid",
        ],
        number(0),
    );
    let id = |row: &Row| Some(national_id(row.number).reveal().to_owned());
    add(&["profile.national_id"], texts(&id));
    add(&["profile.name"], text("林阿梅"));
    add(&["profile.address"], text("臺中市西區民生路1號"));
    add(&["profile.area"], texts(&|row| Some(row.area.to_owned())));
    add(
        &["profile.email"],
        texts(&|row| row.mail.then(|| "elder@people.example".to_owned())),
    );
    let named = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(named).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

async fn import(kit: &Kit) {
    import_of(kit, &residents()).await;
}

async fn import_of(kit: &Kit, rows: &[Row]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.parquet");
    written(&path, rows);
    register::import(&kit.desk, &path, date(2026, 11, 1), false)
        .await
        .unwrap();
}

/// A mail server that never answers: mails are written and wait.
fn with_mail(kit: &mut Kit) {
    let config = serde_json::json!({
        "host": "127.0.0.1", "port": 9, "protection": "none", "from": "noreply@city.example", "timeout_seconds": 1
    });
    let mailer = exchange::mail::Mailer::new(&serde_json::from_value(config).unwrap()).unwrap();
    Arc::get_mut(&mut kit.desk).unwrap().mail = Some(mailer);
}

async fn worked(kit: &Kit) {
    while kit.work().await > 0 {}
}

/// A night passes.
async fn counted(kit: &Kit) {
    jobs::tidy(&kit.desk).await.unwrap();
    worked(kit).await;
}

async fn view(kit: &Kit, staff: &Staff) -> Overview {
    outreach::view(&kit.desk, staff, SERVICE).await.unwrap()
}

/// Of each service: its name, entitled and receiving, and who is missing.
type Numbers<'a> = Vec<(&'a str, Option<(i64, i64)>, Number)>;

fn numbers(view: &Overview) -> Numbers<'_> {
    let areas = view.areas.iter();
    areas
        .map(|area| {
            let tally = area.tally.map(|tally| (tally.entitled, tally.receiving));
            (area.area.as_str(), tally, area.missing)
        })
        .collect()
}

async fn counts(kit: &Kit, staff: &Staff, id: Uuid) -> Vec<(Standing, i64)> {
    let found = outreach::campaign(&kit.desk, staff, SERVICE, id).await.unwrap();
    assert_eq!(found.row.state, CampaignState::Written);
    assert_eq!(found.counts.values().sum::<i64>(), found.found);
    found.counts.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_missing_is_counted_by_village_and_invited_once() {
    each_engine(async |kit| {
        let mut kit = kit;
        with_mail(&mut kit);
        let desk = &kit.desk;
        let (officer, chief) = (
            kit.staff("officer", Role::Officer).await,
            kit.staff("chief", Role::Supervisor).await,
        );
        let cashier = kit.staff("cashier", Role::Cashier).await;
        assert_eq!(
            jobs::tidy(desk).await.unwrap().nights,
            0,
            "without a register nothing is counted"
        );
        import(&kit).await;
        // one elder has applied
        let applicant = kit.person(24).await;
        kit.submitted(&applicant).await;
        counted(&kit).await;

        let seen = view(&kit, &chief).await;
        assert_eq!(
            numbers(&seen),
            [
                (NORTH, Some((2, 1)), Number::Exact(1)),
                (WEST, Some((2, 0)), Number::Exact(2))
            ]
        );
        let total = seen.row.tally.unwrap();
        assert_eq!((total.entitled, total.receiving, total.missing()), (4, 1, 3));
        assert!(seen.may_invite && seen.row.lacking.is_empty());
        // small numbers are not told to who does not need them
        let seen = view(&kit, &officer).await;
        assert_eq!(numbers(&seen), [(NORTH, None, Number::Few), (WEST, None, Number::Few)]);
        assert!(!seen.may_invite);
        assert!(outreach::view(desk, &cashier, SERVICE).await.is_err());
        assert!(outreach::list(desk, &cashier).await.is_err());
        // a service whose facts the register lacks says so, and counts nothing
        let list = outreach::list(desk, &chief).await.unwrap();
        assert!(
            list.iter()
                .any(|row| !row.lacking.is_empty() && row.tally.unwrap().entitled == 0)
        );

        // the work of the night done again changes nothing
        let before = view(&kit, &chief).await;
        let again = outbox::Entity::update_many()
            .col_expr(outbox::Column::State, Expr::value("waiting"))
            .filter(outbox::Column::Kind.eq("outreach.night"));
        desk.store
            .write(move |tx| {
                Box::pin(async move {
                    again.exec(tx).await?;
                    Ok::<_, CaseError>(())
                })
            })
            .await
            .unwrap();
        worked(&kit).await;
        assert_eq!(view(&kit, &chief).await, before);
        assert_eq!(jobs::tidy(desk).await.unwrap().nights, 0);

        // one wants none
        let quiet = kit.person(23).await;
        assert!(outreach::wants(desk, &quiet).await.unwrap());
        outreach::set(desk, &quiet, false).await.unwrap();
        assert!(!outreach::wants(desk, &quiet).await.unwrap());

        let refused = outreach::begin(desk, &officer, SERVICE, Vec::new()).await;
        assert!(matches!(refused, Err(CaseError::Refused(_))), "{refused:?}");
        let unknown = outreach::begin(desk, &chief, SERVICE, vec!["月球".to_owned()]).await;
        assert!(
            matches!(
                unknown,
                Err(CaseError::Input {
                    problem: "unknown_area",
                    ..
                })
            ),
            "{unknown:?}"
        );
        let first = outreach::begin(desk, &chief, SERVICE, vec![WEST.to_owned(), NORTH.to_owned()])
            .await
            .unwrap();
        let second = outreach::begin(desk, &chief, SERVICE, Vec::new()).await;
        assert!(matches!(second, Err(CaseError::Conflict(_))), "{second:?}");
        worked(&kit).await;
        assert_eq!(
            counts(&kit, &chief, first).await,
            [(Standing::Queued, 1), (Standing::NoAddress, 1), (Standing::Declined, 1)]
        );
        // sent again, nobody is written to a second time
        let second = outreach::begin(desk, &chief, SERVICE, Vec::new()).await.unwrap();
        worked(&kit).await;
        assert_eq!(
            counts(&kit, &chief, second).await,
            [(Standing::NoAddress, 1), (Standing::Declined, 1), (Standing::Lately, 1)]
        );

        // whom no mail reaches is visited by the office, and every name stands in the ledger
        let contacts = outreach::visits(desk, &officer, SERVICE, first, None).await.unwrap();
        let shown: Vec<&str> = contacts.iter().map(|one| one.area.as_str()).collect();
        assert_eq!(shown, [WEST]);
        assert!(!format!("{contacts:?}").contains("林阿梅"));
        assert!(outreach::visits(desk, &cashier, SERVICE, first, None).await.is_err());
        let visited = kit.person(22).await;
        let uses = mine::uses(desk, &visited, None, 10).await.unwrap();
        let actions: Vec<&str> = uses.iter().map(|one| one.entry.action.as_str()).collect();
        assert!(actions.contains(&"visit") && actions.contains(&"invite"), "{actions:?}");

        // who was invited applies; the next night sees it
        let invited = kit.person(21).await;
        kit.wait(1);
        kit.submitted(&invited).await;
        kit.wait(24);
        counted(&kit).await;
        let seen = outreach::campaign(desk, &chief, SERVICE, first).await.unwrap();
        assert_eq!(seen.applied, 1);
        let (before, now) = (seen.row.before.unwrap(), seen.row.now.unwrap());
        assert_eq!((before.receiving, now.receiving), (1, 2));
        // two are left: an officer is told neither them nor what they could be worked out from
        let seen = outreach::campaign(desk, &officer, SERVICE, first).await.unwrap();
        assert_eq!((seen.row.before.is_some(), seen.row.now), (true, None));
        let seen = view(&kit, &officer).await;
        assert_eq!((seen.row.tally, seen.row.missing), (None, Number::Few));
        let key = outreach::take_up(desk, &chief).await.unwrap();
        let key = key.iter().find(|one| one.service == SERVICE).unwrap();
        assert_eq!(key.tally.take_up(), Some(0.5));
        assert_eq!(
            key.invited
                .and_then(|(before, _)| before)
                .map(|before| before.receiving),
            Some(1)
        );

        // the list ends with its days
        kit.wait(24 * 91);
        jobs::tidy(desk).await.unwrap();
        let gone = outreach::visits(desk, &officer, SERVICE, first, None).await;
        assert!(matches!(gone, Err(CaseError::NotFound(_))), "{gone:?}");
        kit.ledger_holds().await;
    })
    .await;
}

/// The allowance as another city might have it: by households, and only to who has said that they want to be told.
fn other_city() -> services::Catalogue {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let copy = tempfile::tempdir().unwrap();
    let (from, to) = (root.join("services").join(SERVICE), copy.path().join(SERVICE));
    for folder in ["", "cases", "letters", "parameters"] {
        std::fs::create_dir_all(to.join(folder)).unwrap();
        for entry in std::fs::read_dir(from.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, to.join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    let text = std::fs::read_to_string(to.join("service.toml")).unwrap();
    let changed = text.replace("unit = \"person\"", "unit = \"household\"\nto = \"agreed\"");
    assert_ne!(text, changed);
    std::fs::write(to.join("service.toml"), changed).unwrap();
    let catalogue = services::Catalogue::load(copy.path(), &root.join("datasets"));
    assert!(catalogue.withdrawn().is_empty(), "{:?}", catalogue.withdrawn());
    catalogue
}

#[tokio::test(flavor = "multi_thread")]
async fn a_household_counts_once_and_only_who_agreed_is_written_to() {
    each_engine(async |kit| {
        let mut kit = kit.offering(other_city());
        with_mail(&mut kit);
        let desk = &kit.desk;
        let chief = kit.staff("chief", Role::Supervisor).await;
        // 21 and 22 live together, 23 and 24 do too
        let mut rows = residents();
        for (row, household) in rows.iter_mut().zip([1, 1, 2, 2, 3]) {
            row.household = household;
            row.mail = true;
        }
        import_of(&kit, &rows).await;
        // the second of a household has applied: the household receives
        let applicant = kit.person(24).await;
        kit.submitted(&applicant).await;
        counted(&kit).await;
        let seen = view(&kit, &chief).await;
        assert!(seen.row.households);
        let total = seen.row.tally.unwrap();
        assert_eq!((total.entitled, total.receiving), (2, 1));

        let nobody = outreach::begin(desk, &chief, SERVICE, Vec::new()).await.unwrap();
        worked(&kit).await;
        assert_eq!(counts(&kit, &chief, nobody).await, [(Standing::Declined, 1)]);
        let willing = kit.person(21).await;
        outreach::set(desk, &willing, true).await.unwrap();
        let one = outreach::begin(desk, &chief, SERVICE, Vec::new()).await.unwrap();
        worked(&kit).await;
        assert_eq!(counts(&kit, &chief, one).await, [(Standing::Queued, 1)]);
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_an_invitation_ends_invitations_without_an_account() {
    each_engine(async |kit| {
        let mut kit = kit;
        with_mail(&mut kit);
        let desk = &kit.desk;
        let chief = kit.staff("chief", Role::Supervisor).await;
        import(&kit).await;
        counted(&kit).await;
        let id = outreach::begin(desk, &chief, SERVICE, vec![WEST.to_owned()])
            .await
            .unwrap();
        worked(&kit).await;
        let rows = invitation::page(desk.store.read(), id, Standing::Queued, None, 10)
            .await
            .unwrap();
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        let mark = desk.store.seal().lookup_bytes("invitation", row.id.as_bytes());
        let token = format!("{}{}", row.id.simple(), hex::encode(&mark[..16]));
        assert!(outreach::by_link(desk, &token).await.unwrap().wants);
        for wrong in [
            "",
            "x",
            &"0".repeat(64),
            &format!("{}{}", row.id.simple(), "0".repeat(32)),
            &token[..63],
        ] {
            let found = outreach::by_link(desk, wrong).await;
            assert!(matches!(found, Err(CaseError::NotFound(_))), "{wrong}");
        }
        outreach::stop(desk, &token).await.unwrap();
        outreach::stop(desk, &token).await.unwrap();
        assert!(!outreach::by_link(desk, &token).await.unwrap().wants);
        let person = kit.person(21).await;
        assert!(!outreach::wants(desk, &person).await.unwrap());
        // the mail that still waited is not sent any more, and its address is forgotten
        kit.wait(2);
        worked(&kit).await;
        let row = invitation::by_id(desk.store.read(), row.id).await.unwrap().unwrap();
        assert_eq!((row.standing, row.sealed), (Standing::Declined, None));
        outreach::set(desk, &person, true).await.unwrap();
        assert!(outreach::by_link(desk, &token).await.unwrap().wants);
        kit.ledger_holds().await;
    })
    .await;
}
