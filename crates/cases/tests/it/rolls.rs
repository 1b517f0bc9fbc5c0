//! What the city gives of its own motion: a register taken in, a roll drawn up, confirmed, told, declined, objected to, granted and paid.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray};
use cases::register::{self, Imported};
use cases::roll::{self, Denial, Excluded, RollState, RollView, Standing};
use cases::staff::{NewStaff, Role, Staff};
use cases::{CaseError, Month, Person, State, collect, jobs, mine, pay, review};
use civic::Channel;
use civic::ids::ApplicationId;
use jiff::civil::{Date, date};
use parquet::arrow::ArrowWriter;
use services::form::{Raw, SHOWN};
use zeroize::Zeroizing;

use crate::support::{Kit, ZH, each_engine, national_id, raw};

const GIFT: &str = "senior-gift";
const RELIEF: &str = "house-tax-relief";
const ROLL: &str = "115";

/// One resident of a small register.
#[derive(Clone)]
struct Row {
    household: i64,
    id: String,
    born: Date,
    since: Date,
    account: bool,
    area: &'static str,
    listed: &'static str,
    houses: i64,
}

fn row(household: i64, number: u32, born: Date) -> Row {
    Row {
        household,
        id: national_id(number).reveal().to_owned(),
        born,
        since: date(2000, 1, 1),
        account: true,
        area: "西區 民生里",
        listed: "none",
        houses: 0,
    }
}

fn days(day: Date) -> i32 {
    date(1970, 1, 1).until(day).unwrap().get_days()
}

fn written(path: &Path, rows: &[Row]) {
    let texts = |of: fn(&Row) -> Option<&str>| Arc::new(StringArray::from_iter(rows.iter().map(of))) as ArrayRef;
    let numbers = |of: fn(&Row) -> i64| Arc::new(Int64Array::from_iter_values(rows.iter().map(of))) as ArrayRef;
    let dates = |of: fn(&Row) -> Date| {
        Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| days(of(row))))) as ArrayRef
    };
    let truths =
        |of: fn(&Row) -> bool| Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(of(row))))) as ArrayRef;
    let batch = RecordBatch::try_from_iter_with_nullable(
        [
            ("household", numbers(|row| row.household)),
            ("household.listed_status", texts(|row| Some(row.listed))),
            ("birth_date", dates(|row| row.born)),
            ("registered_since", dates(|row| row.since)),
            ("alive", truths(|_| true)),
            ("indigenous", truths(|_| false)),
            ("houses_owned", numbers(|row| row.houses)),
            (
                "house_tax_number",
                texts(|row| (row.houses > 0).then_some("B90000000001")),
            ),
            ("house_self_used", truths(|_| true)),
            ("house_value", numbers(|row| row.houses * 800_000)),
            ("owner_share", numbers(|_| 100)),
            ("profile.national_id", texts(|row| Some(&row.id))),
            ("profile.name", texts(|_| Some("林阿梅"))),
            ("profile.address", texts(|_| Some("臺中市西區民生路1號"))),
            ("profile.email", texts(|_| Some("elder@people.example"))),
            ("profile.area", texts(|row| Some(row.area))),
            ("profile.bank", texts(|row| row.account.then_some("700"))),
            ("profile.account", texts(|row| row.account.then_some("00012345678901"))),
        ]
        .map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

async fn import(kit: &Kit, rows: &[Row]) -> Result<Imported, CaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.parquet");
    written(&path, rows);
    register::import(&kit.desk, &path, date(2026, 10, 1), false).await
}

/// Five elders of three families, one of them without account, and two persons who are not old enough.
fn elders() -> Vec<Row> {
    let mut rows = vec![
        row(1, 11, date(1955, 3, 1)),
        row(1, 12, date(1990, 3, 1)),
        row(2, 13, date(1936, 3, 1)),
        row(2, 14, date(1938, 3, 1)),
        row(3, 15, date(1950, 3, 1)),
        row(3, 16, date(2001, 3, 1)),
        row(4, 17, date(1945, 3, 1)),
    ];
    rows[3].account = false;
    rows[6].area = "北區 中正里";
    rows
}

async fn member(kit: &Kit, agency: &str, account: &str, role: Role) -> Staff {
    let new = NewStaff {
        account: account.to_owned(),
        name: format!("{account} 先生"),
        role,
        agency: agency.to_owned(),
        password: Zeroizing::new("a long enough password".to_owned()),
        totp_secret: Zeroizing::new(vec![7; 20]),
    };
    let id = cases::staff::add(&kit.desk, new).await.unwrap();
    cases::staff::get(&kit.desk, id).await.unwrap()
}

async fn view(kit: &Kit, staff: &Staff, service: &str) -> RollView {
    roll::view(&kit.desk, staff, service, ROLL).await.unwrap()
}

async fn worked(kit: &Kit) {
    while kit.work().await > 0 {}
}

/// The one case of a resident.
async fn case_of(kit: &Kit, number: u32) -> (Person, ApplicationId) {
    let person = kit.person(number).await;
    let cases = mine::cases(&kit.desk, &person).await.unwrap();
    assert_eq!(cases.len(), 1, "resident {number}");
    (person, cases[0].id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gift_reaches_everybody_entitled_and_nobody_twice() {
    each_engine(async |kit| {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let chief = kit.staff("chief", Role::Supervisor).await;
        let none = roll::begin(desk, &officer, GIFT, ROLL).await;
        assert!(
            matches!(
                none,
                Err(CaseError::Input {
                    problem: "no_register",
                    ..
                })
            ),
            "{none:?}"
        );
        let taken = import(&kit, &elders()).await.unwrap();
        assert_eq!(
            taken,
            Imported::Taken {
                persons: 7,
                households: 4,
                held: 0,
            }
        );
        let early = roll::begin(desk, &officer, GIFT, "116").await;
        assert!(
            matches!(
                early,
                Err(CaseError::Input {
                    problem: "too_early",
                    ..
                })
            ),
            "{early:?}"
        );

        // one elder is known to have died; a list with a mistake changes nothing
        let list = format!(
            "{},deceased,,\nA123456788,other\n{},nothing",
            national_id(15).reveal(),
            national_id(11).reveal()
        );
        let wrong = roll::exclude(desk, &officer, GIFT, &list).await.unwrap();
        let Excluded::Refused(wrong) = wrong else {
            panic!("{wrong:?}")
        };
        let wrong: Vec<(usize, &str)> = wrong.iter().map(|one| (one.line, one.problem)).collect();
        assert_eq!(wrong, [(2, "national_id"), (3, "reason")]);
        assert_eq!(roll::exclusions(desk, &officer, GIFT).await.unwrap().1, 0);
        let list = format!("{},deceased,,家屬通報", national_id(15).reveal());
        assert_eq!(
            roll::exclude(desk, &officer, GIFT, &list).await.unwrap(),
            Excluded::Taken { persons: 1, lines: 0 }
        );

        roll::begin(desk, &officer, GIFT, ROLL).await.unwrap();
        assert!(matches!(
            roll::begin(desk, &chief, GIFT, ROLL).await,
            Err(CaseError::Conflict(_))
        ));
        worked(&kit).await;
        let drawn = view(&kit, &officer, GIFT).await;
        assert_eq!(drawn.row.state, Some(RollState::Drawn));
        assert_eq!(drawn.differing, 0);
        assert_eq!(
            drawn.standings,
            BTreeMap::from([(Standing::Listed, 4), (Standing::Excluded, 1)])
        );
        // 71: 2,000; 90 by the end of the year: 5,000; 88: 2,000; 81: 2,000 — by the folder's own table
        let sum: i64 = drawn.areas.iter().map(|area| area.amount.0).sum();
        assert_eq!(sum, drawn.amount.0);
        assert_eq!(drawn.areas.len(), 2);
        assert_eq!(drawn.areas.iter().map(|area| area.without_account).sum::<i64>(), 1);
        // nobody is told yet, and no officer's queue is full of it
        let elder = kit.person(11).await;
        assert!(mine::cases(desk, &elder).await.unwrap().is_empty());
        let queue = review::queue(desk, &officer, &review::Filter::default(), 0, 10)
            .await
            .unwrap();
        assert_eq!(queue.total, 0);
        assert!(!drawn.may_grant);

        roll::tell(desk, &officer, GIFT, ROLL, drawn.revision).await.unwrap();
        worked(&kit).await;
        let told = view(&kit, &officer, GIFT).await;
        assert_eq!(told.row.state, Some(RollState::Told));
        assert!(told.object_until.unwrap() > desk.today());
        let open = roll::grant(desk, &chief, GIFT, ROLL, told.revision).await;
        assert!(
            matches!(
                open,
                Err(CaseError::Input {
                    problem: "still_open",
                    ..
                })
            ),
            "{open:?}"
        );

        // one declines, one objects, one gives an account
        let (declining, id) = case_of(&kit, 17).await;
        collect::withdraw(desk, &declining, id, kit.revision(id).await)
            .await
            .unwrap();
        let (objecting, objected) = case_of(&kit, 13).await;
        let revision = kit.revision(objected).await;
        assert!(matches!(
            roll::object(desk, &objecting, objected, revision, "  ").await,
            Err(CaseError::Input { problem: "empty", .. })
        ));
        assert!(matches!(
            roll::object(desk, &declining, objected, revision, "不是我").await,
            Err(CaseError::NotFound(_))
        ));
        roll::object(desk, &objecting, objected, revision, "我的生日不對")
            .await
            .unwrap();
        let (poor, id) = case_of(&kit, 14).await;
        assert!(!mine::case(desk, &poor, id).await.unwrap().line.unwrap().payable);
        let account = raw(&[
            ("person.p1.account.bank", "812"),
            ("person.p1.account.account", "012345678901"),
        ]);
        let key = account_key(&kit);
        let account = account
            .into_iter()
            .map(|(name, value)| (name.replace("person.p1.account", &key), value))
            .collect();
        pay::new_account(desk, &poor, id, account, ZH).await.unwrap();
        assert!(mine::case(desk, &poor, id).await.unwrap().line.unwrap().payable);
        // the objection is work for an officer
        let queue = review::queue(desk, &officer, &review::Filter::default(), 0, 10)
            .await
            .unwrap();
        assert_eq!(queue.total, 1);

        kit.wait(24 * 20);
        let told = view(&kit, &officer, GIFT).await;
        assert!(told.needs_colleague && !told.may_grant);
        assert!(matches!(
            roll::grant(desk, &officer, GIFT, ROLL, told.revision).await,
            Err(CaseError::Refused(_))
        ));
        roll::grant(desk, &chief, GIFT, ROLL, told.revision).await.unwrap();
        worked(&kit).await;
        kit.wait(1);
        worked(&kit).await;
        let granted = view(&kit, &chief, GIFT).await;
        assert_eq!(granted.row.state, Some(RollState::Granted));
        assert_eq!(
            granted.standings,
            BTreeMap::from([
                (Standing::Granted, 2),
                (Standing::Declined, 1),
                (Standing::Objected, 1),
                (Standing::Excluded, 1)
            ])
        );
        let (person, id) = case_of(&kit, 11).await;
        let case = mine::case(desk, &person, id).await.unwrap();
        assert_eq!((case.mine.state, case.letters.len()), (State::Completed, 1));
        let kinds: Vec<&str> = case.events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["listed", "granted", "completed"]);

        // the officer decides the objection by itself
        review::take(desk, &officer, objected, kit.revision(objected).await)
            .await
            .unwrap();
        kit.approved_taken(&officer, objected).await;

        let cashier = kit.staff("cashier", Role::Cashier).await;
        let month = Month::of(date(2026, 11, 20));
        assert_eq!(pay::prepare(desk, &cashier, GIFT, month).await.unwrap(), 3);
        assert_eq!(pay::prepare(desk, &cashier, GIFT, month).await.unwrap(), 0);
        let batch = pay::batch::make(desk, &cashier, GIFT, month).await.unwrap();
        let batch = pay::batch::view(desk, &cashier, batch, None).await.unwrap();
        assert_eq!(batch.payments.len(), 3);
        kit.ledger_holds().await;
    })
    .await;
}

/// The key of the account's field.
fn account_key(kit: &Kit) -> String {
    let form = &kit.desk.service(GIFT).unwrap().form;
    let page = form
        .pages
        .iter()
        .find(|page| page.fields.iter().any(|field| field.id == "account"))
        .unwrap();
    match &page.group {
        Some(group) => format!("{group}.p1.account"),
        None => "account".to_owned(),
    }
}

/// What somebody of 76 types who applies for the gift.
fn typed(keys: &[String], number: u32) -> Raw {
    let mut raw = Raw::from([(SHOWN.to_owned(), keys.to_vec())]);
    for key in keys {
        let dated = |raw: &mut Raw, year: &str| {
            for (part, text) in [("year", year), ("month", "3"), ("day", "1")] {
                raw.insert(format!("{key}.{part}"), vec![text.to_owned()]);
            }
        };
        let text = match key.rsplit('.').next().unwrap() {
            "birth_date" => {
                dated(&mut raw, "39");
                continue;
            }
            "registered_since" => {
                dated(&mut raw, "90");
                continue;
            }
            "account" => {
                raw.insert(format!("{key}.bank"), vec!["700".to_owned()]);
                raw.insert(format!("{key}.account"), vec!["00012345678901".to_owned()]);
                continue;
            }
            "name" => "林阿梅".to_owned(),
            "national_id" => national_id(number).reveal().to_owned(),
            "phone" => "0912-345-678".to_owned(),
            "email" => "elder@people.example".to_owned(),
            "registered_address" | "address" => "臺中市西區民生路1號".to_owned(),
            "members" | "alive" => "yes".to_owned(),
            "indigenous" => "no".to_owned(),
            other => panic!("nothing to type for {other}"),
        };
        raw.insert(key.clone(), vec![text]);
    }
    raw
}

/// An application for the gift, filled in and handed in.
async fn apply(kit: &Kit, number: u32) -> Result<ApplicationId, CaseError> {
    let (desk, person) = (&kit.desk, kit.person(number).await);
    let id = collect::open(desk, &person, GIFT, Channel::Online, ZH).await?;
    collect::agree(desk, &person, id, ZH).await?;
    let mut draft = collect::draft(desk, &person, id).await?;
    while let Some(first) = draft.questions.first() {
        let page = first.address.clone();
        let of_page = draft.questions.iter().filter(|asked| asked.address == page);
        let keys: Vec<String> = of_page.map(|asked| asked.key.clone()).collect();
        draft = collect::save(desk, &person, id, draft.revision, &page, typed(&keys, number), ZH).await?;
    }
    collect::submit(desk, &person, id, draft.revision, draft.form_token).await?;
    Ok(id)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_applies_too_is_given_it_once() {
    each_engine(async |kit| {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        import(&kit, &elders()).await.unwrap();
        // before the roll is drawn up an application is decided, and the roll leaves its person out
        apply(&kit, 11).await.unwrap();
        roll::begin(desk, &officer, GIFT, ROLL).await.unwrap();
        worked(&kit).await;
        let drawn = view(&kit, &officer, GIFT).await;
        assert_eq!(
            drawn.standings,
            BTreeMap::from([(Standing::Listed, 4), (Standing::Excluded, 1)])
        );
        let out = roll::lines(desk, &officer, GIFT, ROLL, &[Standing::Excluded], None)
            .await
            .unwrap();
        assert_eq!(out[0].reason.as_deref(), Some("applied"));
        // afterwards whoever stands on the roll need not apply, and what they filled in is kept
        let refused = apply(&kit, 13).await;
        assert!(matches!(refused, Err(CaseError::OnRoll)), "{refused:?}");
        let person = kit.person(13).await;
        assert_eq!(mine::cases(desk, &person).await.unwrap()[0].state, State::Draft);
        // who was left out may
        roll::leave_out(desk, &officer, GIFT, ROLL, &number_of(&kit, 13).await, "other")
            .await
            .unwrap();
        apply(&kit, 13).await.unwrap();
        // who is left out for a time is on the list no longer than that
        let list = format!("{},other,2026-12-31", national_id(15).reveal());
        roll::exclude(desk, &officer, GIFT, &list).await.unwrap();
        assert_eq!(roll::exclusions(desk, &officer, GIFT).await.unwrap().1, 1);
        // after the retention no line of the roll leads to a person, and all are counted still
        let before = view(&kit, &officer, GIFT).await.standings;
        kit.wait(24 * 366 * 6);
        jobs::tidy(desk).await.unwrap();
        assert_eq!(roll::exclusions(desk, &officer, GIFT).await.unwrap().1, 0);
        let out = roll::lines(desk, &officer, GIFT, ROLL, &[Standing::Excluded], None)
            .await
            .unwrap();
        assert!(out.iter().all(|line| line.application.is_none()));
        assert_eq!(view(&kit, &officer, GIFT).await.standings, before);
        kit.ledger_holds().await;
    })
    .await;
}

/// The number of the case that stands on the roll for a resident.
async fn number_of(kit: &Kit, number: u32) -> String {
    let person = kit.person(number).await;
    let rows = store::tables::application::by_person(kit.desk.store.read(), person.id.uuid())
        .await
        .unwrap();
    rows.into_iter()
        .find(|row| row.roll_id.is_some())
        .unwrap()
        .number
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_office_confirms_before_anybody_is_told() {
    each_engine(async |kit| {
        let desk = &kit.desk;
        let service = desk.service(RELIEF).unwrap();
        let own = service.meta.agency.get(ZH).to_owned();
        let rolls = service.rolls.as_ref().unwrap();
        let name = rolls
            .rolls
            .iter()
            .rfind(|one| one.from <= desk.today())
            .unwrap()
            .id
            .clone();
        let other = rolls.confirm.as_ref().unwrap().agency.get(ZH).to_owned();
        let officer = member(&kit, &own, "lister", Role::Officer).await;
        let chief = member(&kit, &own, "granter", Role::Supervisor).await;
        let tax = member(&kit, &other, "tax", Role::Officer).await;
        let stranger = member(&kit, "臺中市政府教育局", "school", Role::Officer).await;
        let mut rows = vec![
            row(1, 21, date(1970, 1, 1)),
            row(2, 22, date(1980, 1, 1)),
            row(3, 23, date(1985, 1, 1)),
        ];
        for (place, row) in rows.iter_mut().enumerate() {
            row.listed = if place == 2 { "none" } else { "low" };
            row.houses = 1;
        }
        import(&kit, &rows).await.unwrap();
        roll::begin(desk, &officer, RELIEF, &name).await.unwrap();
        worked(&kit).await;
        let drawn = roll::view(desk, &officer, RELIEF, &name).await.unwrap();
        assert_eq!(drawn.standings, BTreeMap::from([(Standing::Listed, 2)]));
        assert!(!drawn.may_tell && !drawn.may_confirm);
        // only the office named may confirm, and it sees what its records know
        for (staff, refused) in [(&officer, true), (&stranger, true), (&tax, false)] {
            let seen = roll::confirmation(desk, staff, RELIEF, &name, None).await;
            assert_eq!(matches!(seen, Err(CaseError::Refused(_))), refused, "{seen:?}");
        }
        assert!(matches!(
            roll::view(desk, &stranger, RELIEF, &name).await,
            Err(CaseError::Refused(_))
        ));
        assert!(matches!(
            roll::lines(desk, &tax, RELIEF, &name, &[Standing::Listed], None).await,
            Err(CaseError::Refused(_))
        ));
        let lines = roll::confirmation(desk, &tax, RELIEF, &name, None).await.unwrap();
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].facts.iter().any(|(_, value)| value.contains("B90000000001")),
            "{lines:?}"
        );
        let denial = |number: &str| {
            vec![Denial {
                number: number.to_owned(),
            }]
        };
        let unknown = roll::confirm(desk, &tax, RELIEF, &name, drawn.revision, denial("115-XX-000001")).await;
        assert!(matches!(unknown, Err(CaseError::NotFound(_))), "{unknown:?}");
        let denied = lines[0].application.unwrap();
        roll::confirm(desk, &tax, RELIEF, &name, drawn.revision, denial(&lines[0].number))
            .await
            .unwrap();
        let confirmed = roll::view(desk, &officer, RELIEF, &name).await.unwrap();
        assert_eq!(
            confirmed.standings,
            BTreeMap::from([(Standing::Confirmed, 1), (Standing::Denied, 1)])
        );
        assert_eq!(kit.row(denied).await.state, State::Withdrawn);
        roll::tell(desk, &officer, RELIEF, &name, confirmed.revision)
            .await
            .unwrap();
        worked(&kit).await;
        kit.wait(24 * 60);
        let told = roll::view(desk, &chief, RELIEF, &name).await.unwrap();
        assert!(told.may_grant);
        roll::grant(desk, &chief, RELIEF, &name, told.revision).await.unwrap();
        worked(&kit).await;
        kit.wait(1);
        worked(&kit).await;
        let granted = roll::view(desk, &chief, RELIEF, &name).await.unwrap();
        assert_eq!(granted.standings.get(&Standing::Granted), Some(&1));
        // the tax is not levied; its amount is nobody's payment
        let entitled =
            store::tables::entitlement::of_application(desk.store.read(), lines[1].application.unwrap().uuid());
        assert!(entitled.await.unwrap().is_empty());
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_with_mistakes_is_refused_whole() {
    let kit = crate::support::sqlite().await;
    let mut rows = elders();
    rows[1].id = "A123456788".to_owned();
    rows[4].id = rows[0].id.clone();
    rows[6].household = 1;
    let refused = import(&kit, &rows).await.unwrap();
    let Imported::Refused(wrong) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        wrong,
        [
            (2, "the national id is empty or its check digit does not fit"),
            (5, "this person stands in the register twice"),
            (7, "the persons of this household do not stand together"),
        ]
    );
    assert_eq!(register::summary(&kit.desk).await.unwrap(), None);
    // the file holds nothing that can be read without its key, and a later register ends the earlier one
    import(&kit, &elders()).await.unwrap();
    let folder = kit.desk.store.files().folder("registers").unwrap();
    let files = || {
        std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect::<Vec<_>>()
    };
    let first = files();
    assert_eq!(first.len(), 1);
    let bytes = std::fs::read(&first[0]).unwrap();
    for secret in [elders()[0].id.as_bytes(), "林阿梅".as_bytes(), b"national_id"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
    import(&kit, &elders()[..2]).await.unwrap();
    assert_ne!(files(), first);
    assert_eq!(register::summary(&kit.desk).await.unwrap().unwrap().persons, 2);
    let missing = register::import(&kit.desk, Path::new("/nowhere.parquet"), date(2026, 1, 1), false).await;
    assert!(missing.is_err());
}
