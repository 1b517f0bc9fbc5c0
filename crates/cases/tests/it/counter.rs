//! The counter: who may serve whom, for how long, and what is left of it in the history, the ledger and the measures.

use cases::collect;
use cases::counter::{self, NewAgent, NewVisit, Shown, Visit, Way};
use cases::{CaseError, Person, Role, Staff, State, mine, review, succession};
use civic::Channel;
use civic::ids::ApplicationId;
use services::form::{Raw, SHOWN};
use store::tables::{consent, entitlement, event, evidence, measure, paper, witness};
use uuid::Uuid;

use crate::support::{Kit, SERVICE, ZH, each_engine, national_id, new_person, sqlite, typed};

pub fn document(number: u32) -> NewVisit {
    NewVisit {
        national_id: national_id(number),
        name: format!("林阿梅{number}"),
        birth_date: jiff::civil::date(1950, 3, 15),
        shown: Shown::NationalIdCard,
        renamed: false,
        agent: None,
    }
}

/// A clerk who serves the person of this number.
pub async fn served(kit: &Kit, account: &str, number: u32) -> (Staff, Visit) {
    let clerk = kit.staff(account, Role::Clerk).await;
    counter::begin(&kit.desk, &clerk, document(number)).await.unwrap();
    let visit = counter::current(&kit.desk, &clerk).await.unwrap().unwrap();
    (clerk, visit)
}

/// An application opened and agreed to at the counter.
pub async fn opened(kit: &Kit, visit: &Visit) -> ApplicationId {
    let id = counter::open(&kit.desk, visit, SERVICE, ZH).await.unwrap();
    counter::agree(&kit.desk, visit, id, ZH).await.unwrap();
    id
}

/// The dense form filled in, however many times it opens further questions.
async fn filled(kit: &Kit, visit: &Visit, id: ApplicationId) -> collect::Draft {
    let mut draft = counter::draft(&kit.desk, visit, id).await.unwrap();
    for _ in 0..10 {
        if draft.questions.is_empty() {
            break;
        }
        let family = draft.service.form.person_group().map(|group| group.id.clone());
        if draft.questions.iter().any(|asked| Some(&asked.key) == family.as_ref()) {
            let all = collect::Members::Complete;
            draft = counter::members(&kit.desk, visit, id, draft.revision, all)
                .await
                .unwrap();
            continue;
        }
        let keys: Vec<String> = draft.questions.iter().map(|asked| asked.key.clone()).collect();
        draft = counter::save(&kit.desk, visit, id, draft.revision, &typed(&keys), ZH)
            .await
            .unwrap();
    }
    assert!(draft.questions.is_empty(), "{:?}", draft.questions);
    draft
}

pub async fn handed_in(kit: &Kit, visit: &Visit, id: ApplicationId) -> collect::Receipt {
    let draft = filled(kit, visit, id).await;
    counter::print(&kit.desk, visit, id, draft.revision).await.unwrap();
    let revision = kit.revision(id).await;
    counter::hand_in(&kit.desk, visit, id, revision, draft.form_token)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_without_an_account_applies_at_the_counter_and_finds_the_case_in_their_own() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (clerk, visit) = served(&kit, "clerk", 1).await;
        let id = opened(&kit, &visit).await;
        let receipt = handed_in(&kit, &visit, id).await;
        assert!(receipt.number.ends_with("-SA-000001"));
        // twice is once
        let token = kit.row(id).await.form_token.unwrap();
        let again = counter::hand_in(desk, &visit, id, 1, token).await.unwrap();
        assert_eq!(again, receipt);

        let row = kit.row(id).await;
        assert_eq!((row.channel.as_str(), row.uploads), (Channel::Counter.word(), 0));
        let months = measure::by_channel(desk.store.read(), &Default::default())
            .await
            .unwrap();
        assert_eq!(months, [("counter".to_owned(), 1)]);

        // every act is the clerk's
        let events = event::of_application(desk.store.read(), id.uuid()).await.unwrap();
        let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(
            kinds,
            ["notice_witnessed", "summary_printed", "summary_signed", "submitted"]
        );
        assert!(
            events
                .iter()
                .all(|event| event.actor == "staff" && event.actor_id == Some(clerk.id.uuid()))
        );

        // the notice was agreed to before a witness, by a document
        let consents = consent::of_application(desk.store.read(), id.uuid()).await.unwrap();
        let witnesses = witness::of_application(desk.store.read(), id.uuid()).await.unwrap();
        assert_eq!((consents.len(), witnesses.len()), (1, 1));
        assert_eq!(witnesses[0].consent_id, consents[0].id);
        assert_eq!(
            (witnesses[0].staff_id, witnesses[0].shown.as_str()),
            (clerk.id.uuid(), "national_id_card")
        );

        // the person signs in for the first time, and it is all there: the case, and who used the data
        let person = kit.person(1).await;
        let cases = mine::cases(desk, &person).await.unwrap();
        assert_eq!((cases.len(), cases[0].id, cases[0].state), (1, id, State::Submitted));
        let uses = mine::uses(desk, &person, None, 100).await.unwrap();
        let by_clerk: Vec<&str> = uses
            .iter()
            .filter(|one| one.entry.actor_id == Some(clerk.id.uuid()))
            .map(|one| one.entry.action.as_str())
            .collect();
        for action in ["serve", "open", "fill", "submit"] {
            assert!(by_clerk.contains(&action), "{action} is not in {by_clerk:?}");
        }
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test]
async fn nobody_but_a_clerk_serves_and_a_clerk_nobody_but_who_stands_there() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Clerk) {
            let staff = kit.staff(&format!("not-a-clerk-{}", role.word()), role).await;
            let refused = counter::begin(desk, &staff, document(1)).await;
            assert!(matches!(refused, Err(CaseError::Refused(_))), "{role:?}");
            assert!(matches!(
                counter::current(desk, &staff).await,
                Err(CaseError::Refused(_))
            ));
            assert!(matches!(counter::end(desk, &staff).await, Err(CaseError::Refused(_))));
        }
        let (one, first) = served(&kit, "one", 1).await;
        let (_, second) = served(&kit, "two", 2).await;
        let id = opened(&kit, &first).await;
        // another person's clerk, and a clerk with the person's own case of the portal
        let person: Person = kit.person(1).await;
        let online = kit.open(&person).await;
        for (visit, id) in [(&second, id), (&first, online)] {
            assert!(matches!(
                counter::draft(desk, visit, id).await,
                Err(CaseError::NotFound(_))
            ));
            assert!(matches!(
                counter::case(desk, visit, id).await,
                Err(CaseError::NotFound(_))
            ));
            assert!(matches!(
                counter::agree(desk, visit, id, ZH).await,
                Err(CaseError::NotFound(_))
            ));
            assert!(matches!(
                counter::print(desk, visit, id, 1).await,
                Err(CaseError::NotFound(_))
            ));
            let raw = typed(&["phone".to_owned()]);
            let saved = counter::save(desk, visit, id, 1, &raw, ZH).await;
            assert!(matches!(saved, Err(CaseError::NotFound(_))));
            let sent = counter::hand_in(desk, visit, id, 1, Uuid::nil()).await;
            assert!(matches!(sent, Err(CaseError::NotFound(_))));
            let code = counter::code(desk, visit, id, "ABCD2345", ZH).await;
            assert!(matches!(code, Err(CaseError::NotFound(_))));
        }
        assert_eq!(
            counter::cases(desk, &first).await.unwrap().len(),
            1,
            "online is not the clerk's to see"
        );
        // a clerk reads no case in the office
        assert!(matches!(
            review::case(desk, &one, id).await,
            Err(CaseError::NotFound(_) | CaseError::Refused(_))
        ));
        let submitted = handed_in(&kit, &first, id).await;
        assert!(matches!(
            review::case(desk, &one, submitted.id).await,
            Err(CaseError::Refused(_))
        ));
    })
    .await;
}

#[tokio::test]
async fn a_visit_ends_with_the_next_with_a_word_and_with_time() {
    let kit = sqlite().await;
    let desk = &kit.desk;
    let (clerk, _) = served(&kit, "clerk", 1).await;
    counter::begin(desk, &clerk, document(2)).await.unwrap();
    let visit = counter::current(desk, &clerk).await.unwrap().unwrap();
    assert_eq!(visit.person.national_id, national_id(2));
    counter::end(desk, &clerk).await.unwrap();
    assert!(counter::current(desk, &clerk).await.unwrap().is_none());
    counter::begin(desk, &clerk, document(2)).await.unwrap();
    kit.wait(2);
    assert!(
        counter::current(desk, &clerk).await.unwrap().is_none(),
        "forgotten overnight"
    );
}

#[tokio::test]
async fn who_signs_in_is_known_as_the_identity_provider_knows_them_today() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        served(&kit, "clerk", 9).await;
        let first = cases::people::sign_in(desk, new_person(9)).await.unwrap();
        let moved = cases::people::NewPerson {
            email: Some("new@example.org".to_owned()),
            phone: None,
            ..new_person(9)
        };
        let second = cases::people::sign_in(desk, moved).await.unwrap();
        assert_eq!((second.id, second.name.as_str()), (first.id, "林阿梅9"));
        let known = cases::people::get(desk, first.id).await.unwrap();
        assert_eq!(known.email.as_deref(), Some("new@example.org"));
        assert_eq!(known.phone, new_person(9).phone, "what was not said stays");
    })
    .await;
}

/// Somebody who comes in the place of the person.
pub fn agent(number: u32) -> NewAgent {
    NewAgent {
        national_id: national_id(number),
        name: "林大明".to_owned(),
        authority_seen: true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_brings_written_authority_and_signs_in_their_own_name() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let clerk = kit.staff("clerk", Role::Clerk).await;
        let unseen = NewAgent {
            authority_seen: false,
            ..agent(2)
        };
        let nameless = NewAgent {
            name: " ".to_owned(),
            ..agent(2)
        };
        for (wrong, field) in [(agent(1), "agent_id"), (unseen, "authority"), (nameless, "agent_name")] {
            let new = NewVisit {
                agent: Some(wrong),
                ..document(1)
            };
            let told = counter::begin(desk, &clerk, new).await;
            assert!(
                matches!(told, Err(CaseError::Input { field: at, .. }) if at == field),
                "{field}"
            );
            assert!(counter::current(desk, &clerk).await.unwrap().is_none());
        }
        let new = NewVisit {
            agent: Some(agent(2)),
            ..document(1)
        };
        counter::begin(desk, &clerk, new).await.unwrap();
        let visit = counter::current(desk, &clerk).await.unwrap().unwrap();
        assert_eq!(visit.agent.as_ref().unwrap().name, "林大明");
        assert_eq!(visit.agent.as_ref().unwrap().national_id(), Some(national_id(2)));
        let id = opened(&kit, &visit).await;
        handed_in(&kit, &visit, id).await;
        let events = event::of_application(desk.store.read(), id.uuid()).await.unwrap();
        assert!(events.iter().any(|event| event.kind == "summary_signed_by_agent"));
        let witnesses = witness::of_application(desk.store.read(), id.uuid()).await.unwrap();
        assert_eq!(witnesses[0].shown, "agent:national_id_card");
        // the case is the person's, and the agent has none
        assert_eq!(mine::cases(desk, &kit.person(1).await).await.unwrap().len(), 1);
        assert!(mine::cases(desk, &kit.person(2).await).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_name_that_differs_is_looked_at_again() {
    let kit = sqlite().await;
    let desk = &kit.desk;
    let person = cases::people::sign_in(desk, new_person(9)).await.unwrap();
    assert_eq!(person.name, "林阿梅9");
    let clerk = kit.staff("clerk", Role::Clerk).await;
    let other = |renamed| NewVisit {
        name: "林小梅".to_owned(),
        renamed,
        ..document(9)
    };
    let refused = counter::begin(desk, &clerk, other(false)).await;
    assert!(matches!(
        refused,
        Err(CaseError::Input {
            field: "name",
            problem: "differs"
        })
    ));
    assert!(counter::current(desk, &clerk).await.unwrap().is_none());
    counter::begin(desk, &clerk, other(true)).await.unwrap();
    assert_eq!(cases::people::get(desk, person.id).await.unwrap().name, "林小梅");
    for (name, birth) in [
        ("", jiff::civil::date(1950, 3, 15)),
        ("林", jiff::civil::date(2030, 1, 1)),
    ] {
        let new = NewVisit {
            name: name.to_owned(),
            birth_date: birth,
            ..document(3)
        };
        assert!(matches!(
            counter::begin(desk, &clerk, new).await,
            Err(CaseError::Input { .. })
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dense_form_keeps_nothing_of_a_screen_with_a_mistake() {
    let kit = sqlite().await;
    let desk = &kit.desk;
    let (_, visit) = served(&kit, "clerk", 1).await;
    let id = counter::open(desk, &visit, SERVICE, ZH).await.unwrap();
    let unread = counter::save(desk, &visit, id, kit.revision(id).await, &typed(&[]), ZH).await;
    assert!(matches!(unread, Err(CaseError::Incomplete(_))), "before the notice");
    counter::agree(desk, &visit, id, ZH).await.unwrap();
    counter::agree(desk, &visit, id, ZH).await.unwrap();
    let draft = counter::draft(desk, &visit, id).await.unwrap();
    // the document says the day of birth, and nobody is asked again
    let birth = draft.answers.values.iter().find(|(key, _)| key.ends_with("birth_date"));
    assert_eq!(birth.unwrap().1.value, "1950-03-15");
    let keys: Vec<String> = draft.questions.iter().map(|asked| asked.key.clone()).collect();
    let mut raw = typed(&keys);
    raw.insert("phone".to_owned(), vec!["12".to_owned()]);
    raw.get_mut(SHOWN).unwrap().push("phone".to_owned());
    let before = kit.row(id).await;
    match counter::save(desk, &visit, id, before.revision, &raw, ZH).await {
        Err(CaseError::Invalid(invalid)) => {
            assert_eq!(invalid.errors.len(), 1, "{:?}", invalid.errors);
            assert_eq!(invalid.errors[0].key, "phone");
            assert_eq!(invalid.raw["phone"], ["12"]);
        }
        other => panic!("{:?}", other.map(|draft| draft.revision)),
    }
    assert_eq!(kit.row(id).await, before);
    raw.insert("phone".to_owned(), vec!["0912345678".to_owned()]);
    let stale = counter::save(desk, &visit, id, before.revision - 1, &raw, ZH).await;
    assert!(matches!(stale, Err(CaseError::Conflict(_))));
    let saved = counter::save(desk, &visit, id, before.revision, &raw, ZH)
        .await
        .unwrap();
    // the same again changes nothing
    let again = counter::save(desk, &visit, id, saved.revision, &raw, ZH).await.unwrap();
    assert_eq!(again.revision, saved.revision);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_is_what_is_handed_in() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (_, visit) = served(&kit, "clerk", 1).await;
        let id = opened(&kit, &visit).await;
        let early = counter::print(desk, &visit, id, kit.revision(id).await).await;
        assert!(matches!(early, Err(CaseError::Incomplete(_))));
        let draft = filled(&kit, &visit, id).await;
        let token = draft.form_token;
        let unsigned = counter::hand_in(desk, &visit, id, draft.revision, token).await;
        assert!(
            matches!(unsigned, Err(CaseError::Input { field: "signed", .. })),
            "nothing was printed"
        );
        let first = counter::print(desk, &visit, id, draft.revision).await.unwrap();
        // an answer changes after the print
        let revision = kit.revision(id).await;
        let mut raw = typed(&["phone".to_owned()]);
        raw.insert("phone".to_owned(), vec!["0987654321".to_owned()]);
        let draft = counter::save(desk, &visit, id, revision, &raw, ZH).await.unwrap();
        let stale = counter::hand_in(desk, &visit, id, draft.revision, token).await;
        assert!(matches!(
            stale,
            Err(CaseError::Input {
                field: "signed",
                problem: "stale"
            })
        ));
        assert_eq!(counter::signable(desk, &visit, id).await.unwrap(), None);
        let second = counter::print(desk, &visit, id, draft.revision).await.unwrap();
        assert_eq!(counter::signable(desk, &visit, id).await.unwrap(), Some(second));
        let pdf = counter::summary(desk, &visit, id, second).await.unwrap();
        assert!(pdf.starts_with(b"%PDF-"));
        assert_ne!(pdf, counter::summary(desk, &visit, id, first).await.unwrap());
        assert!(matches!(
            counter::receipt(desk, &visit, id).await,
            Err(CaseError::NotFound(_))
        ));
        counter::hand_in(desk, &visit, id, kit.revision(id).await, token)
            .await
            .unwrap();
        // the digest of the signed sheet, and of no other, is evidence
        let rows = evidence::of_application(desk.store.read(), id.uuid()).await.unwrap();
        let papers = paper::of_application(desk.store.read(), id.uuid()).await.unwrap();
        let signed: Vec<_> = papers.iter().filter(|row| row.signed_at.is_some()).collect();
        assert_eq!((rows.len(), papers.len(), signed.len()), (1, 2, 1));
        assert_eq!((signed[0].id, &signed[0].digest), (second, &rows[0].digest));
        assert!(rows[0].sealed.is_some());
        assert!(counter::receipt(desk, &visit, id).await.unwrap().starts_with(b"%PDF-"));
        // another visit's clerk reads none of it
        let (_, other) = served(&kit, "other", 2).await;
        assert!(matches!(
            counter::summary(desk, &other, id, second).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            counter::receipt(desk, &other, id).await,
            Err(CaseError::NotFound(_))
        ));
    })
    .await;
}

/// A folder with programs that stand in for those of the operating system: one reads these lines, one counts these pages.
fn tools(lines: &str, pages: &str) -> (tempfile::TempDir, exchange::ocr::Tools) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let tesseract = format!(
        "#!/bin/sh\nif [ \"$1\" = --list-langs ]; then echo chi_tra; exit; fi\n/bin/cat > /dev/null\n/bin/cat <<'END'\n{lines}\nEND\n"
    );
    let pdfinfo = format!("#!/bin/sh\n/bin/cat > /dev/null\necho 'Pages: {pages}'\n");
    let pdftoppm = "#!/bin/sh\n/bin/cat > /dev/null\necho picture\n".to_owned();
    for (name, script) in [("tesseract", tesseract), ("pdfinfo", pdfinfo), ("pdftoppm", pdftoppm)] {
        let path = folder.path().join(name);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let found = exchange::ocr::Tools::find(folder.path().as_os_str());
    assert!(found.reads() && found.takes_pdf());
    (folder, found)
}

fn equip(kit: &mut Kit, tools: exchange::ocr::Tools) {
    std::sync::Arc::get_mut(&mut kit.desk).unwrap().scans = tools;
}

fn png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend([0, 0, 0, 9, 0, 0, 0, 9]);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_sealed_counted_and_proposes_what_the_clerk_confirms() {
    each_engine(|mut kit| async move {
        let (_folder, tools) = tools("聯 絡 電 話 ： 0987 654 321\n電子郵件：no mail here\n其他", "2");
        equip(&mut kit, tools);
        let desk = &kit.desk;
        let (_, visit) = served(&kit, "clerk", 1).await;
        let id = opened(&kit, &visit).await;
        let paper = counter::scan(desk, &visit, id, png()).await.unwrap();
        let (media, bytes) = counter::content(desk, &visit, id, paper).await.unwrap();
        assert_eq!((media, bytes), ("image/png", png()));
        let before = counter::draft(desk, &visit, id).await.unwrap();
        let label = before
            .service
            .form
            .pages
            .iter()
            .flat_map(|page| &page.fields)
            .find(|field| field.id == "phone")
            .unwrap()
            .label
            .get(ZH)
            .to_owned();
        // whatever the form calls the number, a line that begins so proposes it; nothing is taken over by itself
        let (_other, tools) = self::tools(&format!("{label} : 0987 654 321\n電子郵件：no mail here"), "2");
        equip(&mut kit, tools);
        let desk = &kit.desk;
        counter::scan(desk, &visit, id, b"%PDF-1.7".to_vec()).await.unwrap();
        let scans = counter::scans(desk, &visit, id).await.unwrap();
        assert_eq!(scans.len(), 2);
        let scan = scans.iter().find(|scan| scan.pages == 2).unwrap();
        let proposals = scan.proposals.as_ref().unwrap();
        let phone = proposals.iter().find(|one| one.key == "phone").unwrap();
        assert_eq!(phone.value, "0987654321");
        assert!(phone.line.contains("0987 654 321"));
        assert!(
            proposals.iter().all(|one| one.key != "email"),
            "what the field refuses is not proposed"
        );
        assert_eq!(
            counter::draft(desk, &visit, id).await.unwrap().answers.value("phone"),
            before.answers.value("phone")
        );
        let receipt = handed_in(&kit, &visit, id).await;
        assert_eq!(kit.row(receipt.id).await.uploads, 2, "the indicators count them");
        let rows = evidence::of_application(desk.store.read(), id.uuid()).await.unwrap();
        assert_eq!(rows.iter().filter(|row| row.resource == "counter.scan").count(), 2);
        // not another clerk's
        let (_, other) = served(&kit, "other", 2).await;
        assert!(matches!(
            counter::scans(desk, &other, id).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            counter::content(desk, &other, id, paper).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            counter::scan(desk, &other, id, png()).await,
            Err(CaseError::NotFound(_))
        ));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_have_limits_and_without_tesseract_everything_else_works() {
    let mut kit = sqlite().await;
    let problem = |found: Result<Uuid, CaseError>| match found {
        Err(CaseError::Input { field: "scan", problem }) => problem,
        other => panic!("{other:?}"),
    };
    let (_, visit) = served(&kit, "clerk", 1).await;
    let id = opened(&kit, &visit).await;
    {
        let desk = &kit.desk;
        for (bytes, said) in [
            (Vec::new(), "empty"),
            (b"GIF89a".to_vec(), "media"),
            (b"<svg onload=x>".to_vec(), "media"),
            (b"%PDF-1.7".to_vec(), "pdf"),
            (b"\x89PNG\r\n\x1a\n".to_vec(), "damaged"),
            ([png(), vec![0; counter::LARGEST]].concat(), "large"),
        ] {
            assert_eq!(problem(counter::scan(desk, &visit, id, bytes).await), said);
        }
        assert_eq!(kit.row(id).await.uploads, 0);
        counter::scan(desk, &visit, id, png()).await.unwrap();
        assert!(counter::scans(desk, &visit, id).await.unwrap()[0].proposals.is_none());
    }
    let (_folder, tools) = tools("", "21");
    equip(&mut kit, tools);
    let desk = &kit.desk;
    assert_eq!(
        problem(counter::scan(desk, &visit, id, b"%PDF-1.7".to_vec()).await),
        "long"
    );
    for _ in 0..9 {
        counter::scan(desk, &visit, id, png()).await.unwrap();
    }
    assert_eq!(problem(counter::scan(desk, &visit, id, png()).await), "many");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_reported_at_the_counter_whichever_way_was_applied() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let person = kit.person(1).await;
        let (first, _) = kit.submitted(&person).await;
        let (clerk, visit) = served(&kit, "clerk", 1).await;
        let (_, other) = served(&kit, "other", 2).await;
        assert!(counter::standing(desk, &visit).await.unwrap().is_empty());
        kit.approved(&officer, first).await;
        let standing = counter::standing(desk, &visit).await.unwrap();
        assert_eq!((standing.len(), standing[0].id, standing[0].way), (1, first, Way::Open));
        // it is for the person who stands there alone
        assert!(counter::standing(desk, &other).await.unwrap().is_empty());
        assert!(matches!(
            counter::report(desk, &other, first, ZH).await,
            Err(CaseError::NotFound(_))
        ));

        let later = counter::report(desk, &visit, first, ZH).await.unwrap();
        assert_eq!(counter::report(desk, &visit, first, ZH).await.unwrap(), later);
        assert_eq!(counter::standing(desk, &visit).await.unwrap()[0].way, Way::Draft(later));
        counter::agree(desk, &visit, later, ZH).await.unwrap();
        let draft = counter::draft(desk, &visit, later).await.unwrap();
        assert!(draft.questions.is_empty(), "everything is there already");
        let key = "members.p1.other_income".to_owned();
        let raw = Raw::from([(SHOWN.to_owned(), vec![key.clone()]), (key, vec!["360000".to_owned()])]);
        counter::save(desk, &visit, later, draft.revision, &raw, ZH)
            .await
            .unwrap();
        handed_in(&kit, &visit, later).await;
        assert_eq!(counter::standing(desk, &visit).await.unwrap()[0].way, Way::UnderWay);
        assert!(matches!(
            counter::report(desk, &visit, first, ZH).await,
            Err(CaseError::Input {
                problem: "under_way",
                ..
            })
        ));
        kit.approved(&officer, later).await;
        let spans = entitlement::of_application(desk.store.read(), later.uuid())
            .await
            .unwrap();
        assert_eq!(spans[0].amount, 4_164);

        // the person sees that the clerk read what they had said before
        let uses = mine::uses(desk, &person, None, 200).await.unwrap();
        let read = |fields: &[&str]| {
            uses.iter().any(|one| {
                one.entry.action == "report"
                    && one.entry.actor_id == Some(clerk.id.uuid())
                    && one.entry.fields.iter().map(String::as_str).eq(fields.iter().copied())
            })
        };
        assert!(read(&["number"]) && read(&["answers"]));

        // what the person began on the portal they end there
        let online = succession::report(desk, &person, later, Channel::Online, ZH)
            .await
            .unwrap();
        let standing = counter::standing(desk, &visit).await.unwrap();
        assert_eq!(
            standing.iter().map(|one| one.way).collect::<Vec<_>>(),
            [Way::Online],
            "{online}"
        );
        kit.ledger_holds().await;
    })
    .await;
}
