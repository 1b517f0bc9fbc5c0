//! A round from the first registration to the last seat: entered once, sealed when all is decided, drawn by another person,
//! accepted, declined, lapsed, moved up.

use std::collections::BTreeMap;

use cases::round::{self, TicketState};
use cases::staff::{NewStaff, Role, Staff};
use cases::{CaseError, Person, collect, jobs, mine, review};
use civic::ids::ApplicationId;
use civic::{Channel, Clock as _, NationalId};
use jiff::Timestamp;
use services::form::{Raw, SHOWN};
use zeroize::Zeroizing;

use crate::support::{Kit, ZH, each_engine, national_id};

const SERVICE: &str = "kindergarten";
/// The round that is open when the tests begin.
const ROUND: &str = "115-2";

async fn staff(kit: &Kit, account: &str, role: Role) -> Staff {
    let agency = kit.desk.service(SERVICE).unwrap().meta.agency.get(ZH).to_owned();
    let new = NewStaff {
        account: account.to_owned(),
        name: format!("{account} 先生"),
        role,
        agency,
        password: Zeroizing::new("a long enough password".to_owned()),
        totp_secret: Zeroizing::new(vec![7; 20]),
    };
    let id = cases::staff::add(&kit.desk, new).await.unwrap();
    cases::staff::get(&kit.desk, id).await.unwrap()
}

/// What a mother of one child types.
fn typed(keys: &[String], child: &NationalId, choices: &[&str]) -> Raw {
    let mut raw = Raw::from([(SHOWN.to_owned(), keys.to_vec())]);
    for key in keys {
        let of_child = key.contains(".p2.");
        let entry = match key.rsplit('.').next().unwrap() {
            "birth_date" => {
                let year = if of_child { "111" } else { "79" };
                for (part, text) in [("year", year), ("month", "3"), ("day", "15")] {
                    raw.insert(format!("{key}.{part}"), vec![text.to_owned()]);
                }
                continue;
            }
            "region" => "taichung",
            "standing" => "parent",
            "relation" => "child",
            "applies" | "same_registration" | "members" => "yes",
            "place_elsewhere" | "special_circumstances" | "indigenous" => "no",
            "listed_status" | "disability" | "sibling_place" => "none",
            "phone" => "0912-345-678",
            "email" => "mother@people.example",
            "registered_address" => "臺中市西區民生路1號",
            "name" => "陳小明",
            "national_id" => child.reveal(),
            "choice_1" => choices[0],
            "choice_2" => choices.get(1).copied().unwrap_or(""),
            "choice_3" => choices.get(2).copied().unwrap_or(""),
            other => panic!("nothing to type for {other}"),
        };
        raw.insert(key.clone(), vec![entry.to_owned()]);
    }
    raw
}

/// A registration filled in: the mother of this number registers the child of this number.
async fn filled(kit: &Kit, person: &Person, child: u32, choices: &[&str]) -> collect::Draft {
    let desk = &kit.desk;
    let id = collect::open(desk, person, SERVICE, Channel::Online, ZH).await.unwrap();
    collect::agree(desk, person, id, ZH).await.unwrap();
    let revision = kit.revision(id).await;
    let (mut draft, added) = collect::members(desk, person, id, revision, collect::Members::Add)
        .await
        .unwrap();
    assert_eq!(added.as_deref(), Some("person.p2"));
    while let Some(first) = draft.questions.first() {
        let page = first.address.clone();
        let asked = draft.questions.iter().filter(|asked| asked.address == page);
        let keys: Vec<String> = asked.map(|asked| asked.key.clone()).collect();
        let raw = typed(&keys, &national_id(5000 + child), choices);
        draft = collect::save(desk, person, id, draft.revision, &page, raw, ZH)
            .await
            .unwrap();
    }
    assert_eq!(draft.decision.outcome, Some(true));
    draft
}

async fn registered(kit: &Kit, number: u32, choices: &[&str]) -> (Person, ApplicationId) {
    let person = kit.person(number).await;
    let draft = filled(kit, &person, number, choices).await;
    collect::submit(&kit.desk, &person, draft.id, draft.revision, draft.form_token)
        .await
        .unwrap();
    (person, draft.id)
}

async fn ticket(kit: &Kit, person: &Person, id: ApplicationId) -> round::MyTicket {
    let case = mine::case(&kit.desk, person, id).await.unwrap();
    assert_eq!(case.tickets.len(), 1);
    case.tickets[0].clone()
}

fn at(kit: &Kit, time: &str) {
    let time: Timestamp = time.parse().unwrap();
    kit.wait(time.duration_since(kit.clock.now()).as_hours() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_from_registration_to_the_last_seat() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let sealer = staff(&kit, "sealer", Role::Officer).await;
        let drawer = staff(&kit, "drawer", Role::Supervisor).await;
        // demo-1 and demo-2 have one seat each for a child of four in this round
        let mut families = Vec::new();
        for number in 1..=4 {
            families.push(registered(&kit, number, &["demo-1", "demo-2"]).await);
        }

        // the same child through another parent is refused, and nothing is lost of what was typed
        let father = kit.person(11).await;
        let draft = filled(&kit, &father, 1, &["demo-1", "demo-2"]).await;
        let twice = collect::submit(desk, &father, draft.id, draft.revision, draft.form_token).await;
        assert!(matches!(twice, Err(CaseError::Entered)), "{twice:?}");
        let kept = collect::draft(desk, &father, draft.id).await.unwrap();
        assert!(kept.questions.is_empty() && kept.revision == draft.revision);
        // once the first registration is withdrawn, the child may be registered again
        let (mother, first) = &families[0];
        collect::withdraw(desk, mother, *first, kit.revision(*first).await)
            .await
            .unwrap();
        collect::submit(desk, &father, draft.id, draft.revision, draft.form_token)
            .await
            .unwrap();
        families[0] = (father, draft.id);

        assert!(matches!(
            round::seal(desk, &sealer, SERVICE, ROUND).await,
            Err(CaseError::Input {
                problem: "still_open",
                ..
            })
        ));
        for (_, id) in &families[..3] {
            kit.approved(&sealer, *id).await;
        }
        at(&kit, "2027-02-26T09:00:00Z");
        assert!(matches!(
            round::seal(desk, &sealer, SERVICE, ROUND).await,
            Err(CaseError::Input {
                problem: "undecided",
                ..
            })
        ));
        // the window is closed for whoever still has the form open
        let late = kit.person(12).await;
        assert!(matches!(
            collect::open(desk, &late, SERVICE, Channel::Online, ZH).await,
            Err(CaseError::Closed { next: Some(_) })
        ));
        kit.approved(&sealer, families[3].1).await;
        round::seal(desk, &sealer, SERVICE, ROUND).await.unwrap();
        assert!(matches!(
            round::seal(desk, &drawer, SERVICE, ROUND).await,
            Err(CaseError::Conflict(_))
        ));

        // who sealed does not draw; nobody draws before the day
        assert!(matches!(
            round::draw(desk, &sealer, SERVICE, ROUND, "07,41,18").await,
            Err(CaseError::Refused(_))
        ));
        assert!(matches!(
            round::draw(desk, &drawer, SERVICE, ROUND, "07,41,18").await,
            Err(CaseError::Input {
                problem: "too_early",
                ..
            })
        ));
        at(&kit, "2027-03-06T02:00:00Z");
        assert!(matches!(
            round::draw(desk, &drawer, SERVICE, ROUND, " ").await,
            Err(CaseError::Input { problem: "empty", .. })
        ));
        round::draw(desk, &drawer, SERVICE, ROUND, "07,41,18").await.unwrap();
        kit.work().await;

        // the published files hold, and say what every family was told
        let published = round::published(desk, SERVICE, ROUND).await.unwrap();
        let sealed: lottery::Draw = serde_json::from_slice(&published.sealed.unwrap().1).unwrap();
        let drawn: lottery::Draw = serde_json::from_slice(&published.drawn.unwrap().1).unwrap();
        assert!(lottery::verify(&drawn, Some(&sealed)).is_empty());
        assert_eq!(drawn.list.tickets.len(), 4);
        let mut by_state: BTreeMap<TicketState, Vec<usize>> = BTreeMap::new();
        for (number, (person, id)) in families.iter().enumerate() {
            let ticket = ticket(&kit, person, *id).await;
            let mark = ticket.mark.clone().unwrap();
            let placed = drawn
                .result
                .iter()
                .flatten()
                .any(|result| result.placed.contains(&mark));
            assert_eq!(placed, ticket.state == TicketState::Offered);
            by_state.entry(ticket.state).or_default().push(number);
        }
        let (offered, waiting) = (&by_state[&TicketState::Offered], &by_state[&TicketState::Waiting]);
        assert_eq!((offered.len(), waiting.len()), (2, 2));

        // one accepts and checks in; the other declines, and the first of the waiting list moves up
        let (person, id) = &families[offered[0]];
        let mine = ticket(&kit, person, *id).await;
        assert!(matches!(
            round::check_in(desk, &sealer, mine.id, mine.revision).await,
            Err(CaseError::Input {
                problem: "not_accepted",
                ..
            })
        ));
        round::accept(desk, person, *id, mine.id, mine.revision).await.unwrap();
        assert!(matches!(
            round::accept(desk, person, *id, mine.id, mine.revision).await,
            Err(CaseError::Conflict(_))
        ));
        let mine = ticket(&kit, person, *id).await;
        round::check_in(desk, &sealer, mine.id, mine.revision).await.unwrap();

        let ahead = |ticket: &round::MyTicket| ticket.choices.iter().filter_map(|choice| choice.ahead).min();
        let mut order: Vec<(Option<usize>, usize)> = Vec::new();
        for number in waiting {
            let (person, id) = &families[*number];
            order.push((ahead(&ticket(&kit, person, *id).await), *number));
        }
        order.sort_unstable();
        let (next, last) = (order[0].1, order[1].1);
        let (person, id) = &families[offered[1]];
        let mine = ticket(&kit, person, *id).await;
        let stranger = kit.person(13).await;
        assert!(matches!(
            round::decline(desk, &stranger, *id, mine.id, mine.revision).await,
            Err(CaseError::NotFound(_))
        ));
        round::decline(desk, person, *id, mine.id, mine.revision).await.unwrap();
        assert_eq!(ticket(&kit, person, *id).await.state, TicketState::Declined);
        let (person, id) = &families[next];
        assert_eq!(ticket(&kit, person, *id).await.state, TicketState::Offered);
        let (other, other_id) = &families[last];
        assert_eq!(ticket(&kit, other, *other_id).await.state, TicketState::Waiting);

        // who does not answer in time loses the place to the next
        kit.wait(24 * 8);
        assert_eq!(jobs::tidy(desk).await.unwrap().rounds, 1);
        assert_eq!(ticket(&kit, person, *id).await.state, TicketState::Lapsed);
        let mine = ticket(&kit, other, *other_id).await;
        assert_eq!(mine.state, TicketState::Offered);
        round::accept(desk, other, *other_id, mine.id, mine.revision)
            .await
            .unwrap();

        let view = round::view(desk, &sealer, SERVICE, ROUND).await.unwrap();
        let taken: u32 = view.seats.iter().map(|seats| seats.taken).sum();
        assert_eq!(taken, 2);
        assert!(view.seats.iter().all(|seats| seats.taken <= seats.capacity));
        assert!(!view.seats_differ && !view.may_draw);
        assert!(review::case(desk, &sealer, *id).await.is_ok());
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_office_holds_no_round_of_ours() {
    let kit = crate::support::sqlite().await;
    let social = kit.staff("social", Role::Supervisor).await;
    assert!(round::list(&kit.desk, &social).await.unwrap().is_empty());
    for result in [
        round::view(&kit.desk, &social, SERVICE, ROUND).await.map(drop),
        round::seal(&kit.desk, &social, SERVICE, ROUND).await,
    ] {
        assert!(matches!(result, Err(CaseError::Refused(_))), "{result:?}");
    }
    for (service, round) in [(SERVICE, "nothing"), ("nothing", ROUND), ("low-income", ROUND)] {
        let found = round::published(&kit.desk, service, round).await;
        assert!(matches!(found, Err(CaseError::NotFound(_))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_child_handed_in_at_two_windows_at_once_takes_part_once() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (mother, father) = (kit.person(1).await, kit.person(11).await);
        let one = filled(&kit, &mother, 1, &["demo-1", "demo-2"]).await;
        let other = filled(&kit, &father, 1, &["demo-1", "demo-2"]).await;
        let (first, second) = tokio::join!(
            collect::submit(desk, &mother, one.id, one.revision, one.form_token),
            collect::submit(desk, &father, other.id, other.revision, other.form_token),
        );
        let taken = usize::from(first.is_ok()) + usize::from(second.is_ok());
        assert_eq!(taken, 1, "{first:?} {second:?}");
        let refused = first.err().or(second.err());
        assert!(matches!(refused, Some(CaseError::Entered)), "{refused:?}");
        assert_eq!(
            store::tables::round_entry::undecided(desk.store.read(), SERVICE, ROUND)
                .await
                .unwrap(),
            1
        );

        // the same form in two windows of one browser: one submission, one number
        let parent = kit.person(2).await;
        let draft = filled(&kit, &parent, 2, &["demo-1"]).await;
        let (first, second) = tokio::join!(
            collect::submit(desk, &parent, draft.id, draft.revision, draft.form_token),
            collect::submit(desk, &parent, draft.id, draft.revision, draft.form_token),
        );
        let numbers: Vec<String> = [first, second]
            .into_iter()
            .flatten()
            .map(|receipt| receipt.number)
            .collect();
        assert!(
            !numbers.is_empty() && numbers.windows(2).all(|pair| pair[0] == pair[1]),
            "{numbers:?}"
        );
        assert_eq!(
            store::tables::round_entry::undecided(desk.store.read(), SERVICE, ROUND)
                .await
                .unwrap(),
            2
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_closes_while_the_form_is_open_loses_nothing_of_it() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let parent = kit.person(1).await;
        let draft = filled(&kit, &parent, 1, &["demo-1"]).await;
        at(&kit, "2027-02-26T09:00:00Z");
        let late = collect::submit(desk, &parent, draft.id, draft.revision, draft.form_token).await;
        assert!(matches!(late, Err(CaseError::Closed { .. })), "{late:?}");
        let kept = collect::draft(desk, &parent, draft.id).await.unwrap();
        assert_eq!((kept.revision, kept.questions.len()), (draft.revision, 0));
        assert_eq!(kit.row(draft.id).await.number, None);
    })
    .await;
}

/// The desk with the seats of the kindergartens edited by a line.
fn with_seats(kit: &Kit, edit: impl Fn(&str) -> Option<String>) -> cases::Desk {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(SERVICE);
    copy(&root.join("services").join(SERVICE), &folder);
    let seats = folder.join("seats.csv");
    let text = std::fs::read_to_string(&seats).unwrap();
    let lines: Vec<String> = text.lines().filter_map(edit).collect();
    std::fs::write(&seats, lines.join("\n") + "\n").unwrap();
    let catalogue = services::Catalogue::load(home.path(), &root.join("datasets"));
    assert!(catalogue.withdrawn().is_empty(), "{:?}", catalogue.withdrawn());
    cases::Desk {
        store: kit.desk.store.clone(),
        catalogue: std::sync::Arc::new(catalogue),
        clock: kit.clock.clone(),
        mydata: None,
        mail: None,
        ways: Default::default(),
        agents: Default::default(),
        identity: Default::default(),
        provider: None,
        wallet: None,
        road: None,
        datasets: None,
        scans: Default::default(),
        city: crate::support::city(),
        calendar: civic::WorkCalendar::default(),
        breach: cases::breach::Policy::built_in().unwrap(),
        recent: cases::Recent::default(),
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// A letter that can be made only where its data tells the round, the choices in their order, the class and the child.
const LETTER: &str = r#"
#let data = json("data.json")
#set document(title: "letter")
#set text(font: "Tongban Sans TC", lang: "zh", region: "TW")
#assert.eq(data.round.name, "115學年度缺額招生")
#assert.eq(data.round.draw, "民國116年3月6日")
#assert.eq(data.round.choices, ("示範第三非營利幼兒園", "示範第一幼兒園"))
#assert.eq(data.round.classes, ("4 歲",))
#assert.eq(data.round.persons, ("陳小明",))
核定
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_knows_the_round_the_choices_and_the_child() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let home = tempfile::tempdir().unwrap();
    copy(&root.join("services").join(SERVICE), &home.path().join(SERVICE));
    let letter = home.path().join(SERVICE).join("letters/approved.typ");
    std::fs::write(&letter, LETTER).unwrap();
    let catalogue = services::Catalogue::load(home.path(), &root.join("datasets"));
    assert!(catalogue.withdrawn().is_empty(), "{:?}", catalogue.withdrawn());
    let kit = crate::support::sqlite().await.offering(catalogue);
    let officer = staff(&kit, "officer", Role::Officer).await;
    let (_, id) = registered(&kit, 1, &["demo-3", "demo-1"]).await;
    let made = review::preview(&kit.desk, &officer, id, cases::transition::Act::Approve, "").await;
    assert!(made.unwrap().starts_with(b"%PDF-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_lowered_in_the_folder_count_until_the_list_is_sealed_and_not_after() {
    each_engine(|kit| async move {
        let sealer = staff(&kit, "sealer", Role::Officer).await;
        let drawer = staff(&kit, "drawer", Role::Supervisor).await;
        let (person, id) = registered(&kit, 1, &["demo-1"]).await;
        kit.approved(&sealer, id).await;
        let is_seat = |line: &str| line.starts_with("115-2,demo-1,four,");
        let lowered = with_seats(&kit, |line| {
            Some(if is_seat(line) {
                "115-2,demo-1,four,0,0".to_owned()
            } else {
                line.to_owned()
            })
        });
        // before it is sealed the folder counts, and nothing was given
        let view = round::view(&lowered, &sealer, SERVICE, ROUND).await.unwrap();
        assert!(!view.seats_differ && view.changed.is_empty());
        // but a place that was chosen can't lose its row
        let removed = with_seats(&kit, |line| (!is_seat(line)).then(|| line.to_owned()));
        at(&kit, "2027-02-26T09:00:00Z");
        assert!(matches!(
            round::seal(&removed, &sealer, SERVICE, ROUND).await,
            Err(CaseError::Input {
                problem: "seats_missing",
                ..
            })
        ));
        round::seal(&kit.desk, &sealer, SERVICE, ROUND).await.unwrap();
        at(&kit, "2027-03-06T02:00:00Z");
        round::draw(&kit.desk, &drawer, SERVICE, ROUND, "07,41,18")
            .await
            .unwrap();
        kit.work().await;

        // from then on the change counts for nothing, and whoever looks is told so
        let view = round::view(&lowered, &sealer, SERVICE, ROUND).await.unwrap();
        assert!(view.seats_differ);
        let [changed] = view.changed.as_slice() else {
            panic!("{:?}", view.changed)
        };
        assert_eq!((changed.sealed, changed.folder, changed.given), (1, 0, 1));
        assert!(changed.is_below());
        for desk in [&lowered, &removed] {
            let found = round::changes(&desk.store, &desk.catalogue).await.unwrap();
            let [one] = found.as_slice() else { panic!("{found:?}") };
            let told = one.sentence();
            for part in ["sealed", ROUND, "fewer than given", "change the next round"] {
                assert!(told.contains(part), "{part} in {told}");
            }
            let mine = ticket(&kit, &person, id).await;
            assert_eq!(
                mine.state,
                TicketState::Offered,
                "no place that was given is taken away"
            );
        }
        assert!(
            round::changes(&kit.desk.store, &kit.desk.catalogue)
                .await
                .unwrap()
                .is_empty()
        );
        let mine = ticket(&kit, &person, id).await;
        round::accept(&lowered, &person, id, mine.id, mine.revision)
            .await
            .unwrap();
        assert_eq!(ticket(&kit, &person, id).await.state, TicketState::Accepted);
    })
    .await;
}
