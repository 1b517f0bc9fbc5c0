//! Cards shown and given, with a wallet that is made of other libraries.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::{Path as Named, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cases::staff::Role;
use cases::wallet::card::{self, Answer, MyCard, Open};
use cases::wallet::show::{self, Answered, Showing};
use cases::wallet::{Wallet, kinds};
use cases::{CaseError, Desk, Person, collect, mine};
use civic::Channel;
use civic::ids::ApplicationId;
use exchange::jose::PublicKey;
use exchange::wallet::issuer::{self, Issuer};
use exchange::wallet::status_list::{Purpose, StatusList};
use exchange::wallet::verifier::{self, TrustedIssuer, Verifier};
use jiff::SignedDuration;
use peers::Terms;
use peers::wallet::{CardFaults, NewCard, Running, Showing as By};
use services::Catalogue;
use services::form::Source;
use store::tables::{evidence, security_event};
use tokio::net::TcpListener;

use crate::support::{Kit, SERVICE, ZH, national_id, raw};

const CARD: &str = "00000000_disability_card";
const CITY_CARD: &str = "00000000_city_elder";
const KEY: &str = "members.p1.disability";

/// A city that asks for cards and gives one, and the wallet of its resident.
struct Scene {
    kit: Kit,
    twin: Running,
    person: Person,
    id: ApplicationId,
    issuer: Issuer,
}

type App = State<Arc<OnceLock<Arc<Desk>>>>;

async fn request(State(desk): App, Named(state): Named<String>) -> Response {
    let object = show::request_object(desk.get().unwrap(), &state).await.unwrap();
    object.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}

async fn response(State(desk): App, body: Bytes) -> StatusCode {
    match show::answered(desk.get().unwrap(), &body).await.unwrap() {
        Answered::Taken | Answered::Noted => StatusCode::OK,
        Answered::Refused => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn told(answer: Answer) -> Response {
    match answer {
        Ok(body) => Json(body).into_response(),
        Err(refused) => (StatusCode::from_u16(refused.status).unwrap(), Json(refused.body)).into_response(),
    }
}

async fn token(State(desk): App, body: Bytes) -> Response {
    told(card::token(desk.get().unwrap(), &body).await.unwrap())
}

async fn credential(State(desk): App, headers: HeaderMap, body: Bytes) -> Response {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    told(
        card::credential(desk.get().unwrap(), authorization, &body)
            .await
            .unwrap(),
    )
}

async fn describe(State(desk): App) -> Response {
    Json(card::metadata(desk.get().unwrap()).unwrap()).into_response()
}

/// The services of the repository, of which the elders' gives a card.
fn giving(folder: &Path) -> Catalogue {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let from = root.join("services").join(SERVICE);
    let to = folder.join("services").join(SERVICE);
    copy(&from, &to);
    let card = format!(
        r#"
credential_type = "{CITY_CARD}"
title = {{ "zh-TW" = "津貼資格證明", en = "Certificate" }}
days = 366
[[field]]
name = "name"
title = {{ "zh-TW" = "姓名", en = "Name" }}
value = "form.name"
[[field]]
name = "number"
title = {{ "zh-TW" = "案號", en = "Number" }}
value = "case.number"
[[field]]
name = "last_month"
title = {{ "zh-TW" = "結束月份", en = "Last month" }}
value = "case.last_month"
"#
    );
    std::fs::write(to.join("card.toml"), card).unwrap();
    let catalogue = Catalogue::load(&folder.join("services"), &root.join("datasets"));
    assert!(catalogue.withdrawn().is_empty(), "{:?}", catalogue.withdrawn());
    catalogue
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(std::fs::copy(&path, &target).unwrap()),
        }
    }
}

impl Scene {
    async fn new(kit: Kit) -> Scene {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let portal = format!("http://{}", listener.local_addr().unwrap());
        let url = |path: &str| format!("{portal}{path}").parse().unwrap();
        let desk: Arc<OnceLock<Arc<Desk>>> = Arc::default();
        let router = Router::new()
            .route("/verifier/request/{state}", get(request))
            .route("/verifier/authorization-response", post(response))
            .route("/issuer/.well-known/openid-credential-issuer", get(describe))
            .route("/issuer/token", post(token))
            .route("/issuer/credential", post(credential))
            .with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let twin = peers::wallet::start(peers::wallet::Config {
            terms: Terms {
                clock: kit.clock.clone(),
                ..Terms::default()
            },
            access_token: String::new(),
            callback_url: None,
            population: None,
            port: 0,
        })
        .await
        .unwrap();
        let client = exchange::ClientConfig {
            https_only: false,
            ..Default::default()
        };
        let verifier = Verifier::new(verifier::Config {
            address: url("/verifier"),
            key: twin.city_keys.0.clone(),
            name: "示範市".to_owned(),
            wallet_link: "modadigitalwallet://authorize".to_owned(),
            issuers: vec![TrustedIssuer {
                did: twin.issuer.clone(),
                name: "社家署".to_owned(),
                credential_types: vec![CARD.to_owned()],
                lists: format!("{}/api/status-list/", twin.address).parse().unwrap(),
            }],
            status_required: true,
            life_seconds: 300,
            skew_seconds: 60,
            client,
        })
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let catalogue = giving(folder.path());
        let issuer = Issuer::new(issuer::Config {
            address: url("/issuer"),
            key: twin.city_keys.1.clone(),
            name: "示範市".to_owned(),
            kinds: kinds(&catalogue),
            lists: url("/lists"),
            keys: url("/issuer/keys"),
            wallet_link: "modadigitalwallet://credential_offer".to_owned(),
            life_seconds: 600,
            skew_seconds: 60,
            tries: 3,
        })
        .unwrap();
        let wallet = Wallet::new(Some(verifier), Some(issuer.clone()));
        let kit = kit.with_wallet(wallet, Some(catalogue));
        desk.set(Arc::clone(&kit.desk)).ok();
        let person = kit.person(1).await;
        let id = kit.open(&person).await;
        Scene {
            kit,
            twin,
            person,
            id,
            issuer,
        }
    }

    /// Asks for the card; the link for the wallet. Nobody begins twice at the same instant.
    async fn begin(&self) -> String {
        self.kit.clock.advance(SignedDuration::from_secs(1));
        show::begin(&self.kit.desk, &self.person, self.id, CARD, ZH)
            .await
            .unwrap();
        match self.showing().await {
            Showing::Waiting { link, .. } => link,
            other => panic!("{other:?}"),
        }
    }

    async fn showing(&self) -> Showing {
        show::showing(&self.kit.desk, &self.person, self.id, CARD)
            .await
            .unwrap()
    }

    /// A card of the other issuer in the wallet.
    fn hold(&self, person: u32, degree: &str, times: (i64, i64), faults: &CardFaults) {
        let card = NewCard {
            credential_type: CARD.to_owned(),
            claims: vec![
                ("id_number".to_owned(), national_id(person).reveal().to_owned()),
                ("degree".to_owned(), degree.to_owned()),
                ("address".to_owned(), "not asked for".to_owned()),
            ],
            index: 77,
            times,
        };
        self.twin.phone().clear();
        self.twin.give(self.twin.phone(), &card, faults).unwrap();
    }

    async fn events(&self) -> Vec<String> {
        let rows = security_event::newest(self.kit.desk.store.read(), None, 100)
            .await
            .unwrap();
        rows.into_iter().map(|row| row.kind).collect()
    }

    async fn answer(&self) -> Option<(serde_json::Value, Source)> {
        let draft = collect::draft(&self.kit.desk, &self.person, self.id).await.unwrap();
        let answer = draft.answers.get(KEY)?;
        Some((answer.value.clone(), answer.source.clone()))
    }

    async fn uses(&self) -> Vec<(String, Vec<String>)> {
        let found = mine::uses(&self.kit.desk, &self.person, None, 50).await.unwrap();
        found
            .into_iter()
            .map(|one| (one.entry.action, one.entry.fields))
            .filter(|(action, _)| action == "wallet")
            .collect()
    }

    /// The card of the case, as the resident sees it.
    async fn card(&self) -> MyCard {
        card::mine(&self.kit.desk, &self.person, self.id)
            .await
            .unwrap()
            .unwrap()
    }

    /// Offers the card.
    async fn offer(&self) -> Open {
        self.kit.clock.advance(SignedDuration::from_secs(1));
        card::offer(&self.kit.desk, &self.person, self.id).await.unwrap();
        self.card().await.open.unwrap()
    }

    /// Whether an entry of the city's list says that its card is revoked.
    async fn is_revoked(&self, index: usize) -> bool {
        let list = card::status_list(&self.kit.desk, CITY_CARD, "revocation")
            .await
            .unwrap();
        let address = self.issuer.list_address(CITY_CARD, Purpose::Revocation).unwrap();
        let key = PublicKey::from_jwk(&self.issuer.jwks()["keys"][0]).unwrap();
        let now = self.kit.desk.now().as_second();
        let list = list.unwrap();
        let read = StatusList::read(
            &list,
            self.issuer.did(),
            &key,
            Purpose::Revocation,
            address.as_str(),
            now,
            60,
        );
        read.unwrap().get(index).unwrap()
    }
}

async fn each_engine<R: Future<Output = ()>>(test: impl Fn(Scene) -> R) {
    // a scene keeps its kit, so each engine has its own
    crate::support::each_engine(|kit| {
        let test = &test;
        async move { test(Scene::new(kit).await).await }
    })
    .await;
}

#[tokio::test]
async fn a_card_that_is_shown_fills_the_form_with_its_source() {
    each_engine(|scene| async move {
        scene.hold(1, "中度", (-60, 86_400), &CardFaults::default());
        let link = scene.begin().await;
        let (status, _) = scene.twin.phone().present(&link, &By::default()).await.unwrap();
        assert_eq!(status, 200);
        assert_eq!(scene.showing().await, Showing::Shown);
        let (value, source) = scene.answer().await.unwrap();
        assert_eq!(value, "moderate");
        let expected = Source::Wallet {
            card: CARD.to_owned(),
            claim: "degree".to_owned(),
            issuer: "社家署".to_owned(),
        };
        assert_eq!(source, expected);
        // what was not asked for did not come
        let rows = evidence::of_application(scene.kit.desk.store.read(), scene.id.uuid())
            .await
            .unwrap();
        assert_eq!((rows.len(), rows[0].resource.as_str()), (1, CARD));
        assert_eq!(rows[0].signer.as_deref(), Some("社家署"));
        assert_eq!(scene.uses().await, [("wallet".to_owned(), vec![KEY.to_owned()])]);
        assert!(scene.events().await.is_empty());
        let case = mine::case(&scene.kit.desk, &scene.person, scene.id).await.unwrap();
        assert!(case.events.iter().any(|event| event.kind == "wallet_shown"));
        // the link has served
        let again = scene.twin.phone().present(&link, &By::default()).await;
        assert!(again.is_err(), "{again:?}");
        scene.kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_taken_once() {
    each_engine(|scene| async move {
        scene.hold(1, "中度", (-60, 86_400), &CardFaults::default());
        let link = scene.begin().await;
        let (_, form) = scene.twin.phone().response(&link, &By::default()).await.unwrap();
        let answered = async || show::answered(&scene.kit.desk, form.as_bytes()).await.unwrap();
        // two posts at once: one is taken
        let both = tokio::join!(answered(), answered());
        let mut both = [both.0, both.1];
        both.sort_by_key(|one| *one as u8);
        assert_eq!(both, [Answered::Taken, Answered::Refused]);
        assert_eq!(answered().await, Answered::Refused);
        assert_eq!(scene.events().await, ["wallet.replayed", "wallet.replayed"]);
        assert_eq!(scene.showing().await, Showing::Shown, "a replay changes nothing");
        assert_eq!(scene.uses().await.len(), 1);
        let unknown = show::answered(&scene.kit.desk, b"state=00000000000000000000000000000000&vp_token=x").await;
        assert_eq!(unknown.unwrap(), Answered::Refused);
        assert!(scene.events().await.contains(&"wallet.response".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn what_the_person_answered_stands_beside_the_card() {
    each_engine(|scene| async move {
        let mut draft = collect::draft(&scene.kit.desk, &scene.person, scene.id).await.unwrap();
        let fields = raw(&[(services::form::SHOWN, KEY), (KEY, "mild")]);
        let page = "disability.p1";
        draft = collect::save(
            &scene.kit.desk,
            &scene.person,
            scene.id,
            draft.revision,
            page,
            fields,
            ZH,
        )
        .await
        .unwrap();
        assert_eq!(draft.answers.value(KEY).unwrap(), "mild");
        scene.hold(1, "重度", (-60, 86_400), &CardFaults::default());
        let link = scene.begin().await;
        scene.twin.phone().present(&link, &By::default()).await.unwrap();
        let draft = collect::draft(&scene.kit.desk, &scene.person, scene.id).await.unwrap();
        let answer = draft.answers.get(KEY).unwrap();
        assert_eq!((&answer.value, &answer.source), (&"mild".into(), &Source::Person));
        assert_eq!(answer.changed_from.as_ref().unwrap().value, "severe");
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_is_told_and_recorded() {
    const GOOD: (i64, i64) = (-60, 86_400);
    let faults = CardFaults::default;
    let by = By::default;
    let stranger = CardFaults {
        stranger: true,
        ..faults()
    };
    let forged = CardFaults {
        forged: true,
        ..faults()
    };
    let other_holder = CardFaults {
        other_holder: true,
        ..faults()
    };
    let no_status = CardFaults {
        no_status: true,
        ..faults()
    };
    let wrong_nonce = By {
        nonce: Some("another".to_owned()),
        ..by()
    };
    let wrong_audience = By {
        audience: Some("did:key:another".to_owned()),
        ..by()
    };
    let altered = By { altered: true, ..by() };
    let refused = "wallet.refused";
    // whose card, its times, its faults, how it is shown, a mark on its list; what is told, and recorded
    let table = [
        (1, (-7200, -3600), faults(), by(), None, "expired", refused),
        (1, (3600, 7200), faults(), by(), None, "expired", refused),
        (1, GOOD, faults(), by(), Some("revocation"), "revoked", refused),
        (1, GOOD, faults(), by(), Some("suspension"), "suspended", refused),
        (1, GOOD, stranger, by(), None, "issuer", refused),
        (1, GOOD, forged, by(), None, "not-genuine", refused),
        (1, GOOD, other_holder, by(), None, "holder", refused),
        (1, GOOD, no_status, by(), None, "status", refused),
        (1, GOOD, faults(), wrong_nonce, None, "not-genuine", refused),
        (1, GOOD, faults(), wrong_audience, None, "not-genuine", refused),
        (1, GOOD, faults(), altered, None, "not-genuine", refused),
        (2, GOOD, faults(), by(), None, "person", "wallet.person"),
    ];
    each_engine(|scene| {
        let table = &table;
        async move {
            for (count, (person, times, faults, by, mark, code, recorded)) in table.iter().enumerate() {
                // an hour has room for so many
                scene.kit.wait(1);
                scene.hold(*person, "中度", *times, faults);
                if let Some(purpose) = mark {
                    scene.twin.mark(purpose, 77, true);
                }
                let link = scene.begin().await;
                let (status, _) = scene.twin.phone().present(&link, by).await.unwrap();
                assert_eq!(status, 422, "{code} {count}");
                assert_eq!(scene.showing().await, Showing::Ended((*code).to_owned()), "{count}");
                let events = scene.events().await;
                assert_eq!(
                    (events.len(), events[0].as_str()),
                    (count + 1, *recorded),
                    "{code} {count}"
                );
                if let Some(purpose) = mark {
                    scene.twin.mark(purpose, 77, false);
                }
            }
            assert_eq!(scene.answer().await, None, "nothing of it is in the form");
            assert!(scene.uses().await.is_empty());
            // who declines has done nothing wrong, and after the time there is nothing to follow
            let before = scene.events().await.len();
            scene.hold(1, "中度", GOOD, &CardFaults::default());
            let link = scene.begin().await;
            let declined = By {
                declined: true,
                ..By::default()
            };
            let (status, _) = scene.twin.phone().present(&link, &declined).await.unwrap();
            assert_eq!(
                (status, scene.showing().await),
                (200, Showing::Ended("declined".to_owned()))
            );
            let link = scene.begin().await;
            let (_, late) = scene.twin.phone().response(&link, &By::default()).await.unwrap();
            scene.kit.clock.advance(SignedDuration::from_secs(301));
            assert_eq!(scene.showing().await, Showing::Ended("too-late".to_owned()));
            let answered = show::answered(&scene.kit.desk, late.as_bytes()).await.unwrap();
            assert_eq!(answered, Answered::Refused);
            assert_eq!(scene.events().await.len(), before);
        }
    })
    .await;
}

#[tokio::test]
async fn a_card_is_asked_only_of_the_person_and_only_where_it_is_taken() {
    each_engine(|scene| async move {
        let desk = &scene.kit.desk;
        let other = scene.kit.person(2).await;
        let not_own = show::begin(desk, &other, scene.id, CARD, ZH).await;
        assert!(matches!(not_own, Err(CaseError::NotFound(_))), "{not_own:?}");
        let peeked = show::showing(desk, &other, scene.id, CARD).await;
        assert!(matches!(peeked, Err(CaseError::NotFound(_))), "{peeked:?}");
        let not_taken = show::begin(desk, &scene.person, scene.id, "00000000_student_card", ZH).await;
        assert!(matches!(not_taken, Err(CaseError::NotFound(_))), "{not_taken:?}");
        for _ in 0..30 {
            show::begin(desk, &scene.person, scene.id, CARD, ZH).await.unwrap();
        }
        let often = show::begin(desk, &scene.person, scene.id, CARD, ZH).await;
        assert!(matches!(often, Err(CaseError::Input { .. })), "{often:?}");
        // not before the notice was agreed to, and not after the application was handed in
        let unread = collect::open(desk, &other, SERVICE, Channel::Online, ZH).await.unwrap();
        let unread = show::begin(desk, &other, unread, CARD, ZH).await;
        assert!(matches!(unread, Err(CaseError::Incomplete(_))), "{unread:?}");
        let third = scene.kit.person(3).await;
        let (submitted, _) = scene.kit.submitted(&third).await;
        let late = show::begin(desk, &third, submitted, CARD, ZH).await;
        assert!(matches!(late, Err(CaseError::Illegal(_))), "{late:?}");
        assert_eq!(show::request_object(desk, "guessed").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn without_a_wallet_nothing_is_shown() {
    let kit = crate::support::sqlite().await;
    let person = kit.person(1).await;
    let id = kit.open(&person).await;
    let service = kit.desk.service(SERVICE).unwrap();
    assert_eq!(service.meta.wallet, [CARD]);
    assert!(cases::wallet::taken(&kit.desk, service).is_empty());
    let begun = show::begin(&kit.desk, &person, id, CARD, ZH).await;
    assert!(matches!(begun, Err(CaseError::NotFound(_))), "{begun:?}");
    assert_eq!(card::mine(&kit.desk, &person, id).await.unwrap(), None);
    assert_eq!(show::answered(&kit.desk, b"").await.unwrap(), Answered::Refused);
    assert_eq!(card::metadata(&kit.desk).unwrap(), None);
}

#[tokio::test]
async fn a_granted_case_gives_a_card_until_its_decision_falls() {
    each_engine(|scene| async move {
        let (desk, id) = (&scene.kit.desk, scene.id);
        let not_yet = card::mine(desk, &scene.person, id).await.unwrap();
        assert_eq!(not_yet, None, "nothing is granted yet");
        assert!(card::offer(desk, &scene.person, id).await.is_err());
        let draft = scene.kit.fill(&scene.person, id).await;
        collect::submit(desk, &scene.person, id, draft.revision, draft.form_token)
            .await
            .unwrap();
        let officer = scene.kit.staff("officer", Role::Officer).await;
        scene.kit.approved(&officer, id).await;
        let offered = scene.card().await;
        assert!(offered.may_take && offered.given.is_empty());
        assert_eq!(offered.fields.len(), 3);
        let stranger = scene.kit.person(2).await;
        assert!(card::offer(desk, &stranger, id).await.is_err());

        // wrong digits end the offer after three times
        let phone = scene.twin.phone();
        let open = scene.offer().await;
        let wrong = if open.pin == "000000" { "111111" } else { "000000" };
        for _ in 0..3 {
            assert!(phone.accept(&open.link, Some(wrong)).await.is_err());
        }
        assert!(phone.accept(&open.link, Some(&open.pin)).await.is_err());

        let open = scene.offer().await;
        phone.accept(&open.link, Some(&open.pin)).await.unwrap();
        assert!(
            phone.accept(&open.link, Some(&open.pin)).await.is_err(),
            "an offer serves once"
        );
        let (kind, claims) = phone.cards().pop().unwrap();
        let said = |name: &str| claims.iter().find(|(found, _)| found == name).unwrap().1.clone();
        let number = scene.kit.row(id).await.number.unwrap();
        assert_eq!((kind.as_str(), said("number")), (CITY_CARD, number));
        assert_eq!(said("last_month"), "2026-12");
        let held = scene.card().await;
        assert_eq!((held.given.len(), held.open.is_none()), (1, true));
        // no longer than what was decided, by the clock of Taipei
        assert_eq!(held.given[0].until, "2026-12-31T16:00:00Z".parse().unwrap());
        assert_eq!(card::of_case(desk, &officer, id).await.unwrap(), held.given);
        let outsider = scene.kit.staff("admin", Role::Administrator).await;
        assert!(card::of_case(desk, &outsider, id).await.is_err());
        let (action, fields) = scene.uses().await.pop().unwrap();
        assert_eq!((action.as_str(), fields.len()), ("wallet", 3));
        let first = entry(phone.clear().pop().unwrap());
        assert!(!scene.is_revoked(first).await);

        // a new phone: the card before stops being good
        let open = scene.offer().await;
        phone.accept(&open.link, Some(&open.pin)).await.unwrap();
        let second = entry(phone.clear().pop().unwrap());
        scene.kit.clock.advance(SignedDuration::from_secs(61));
        assert!(scene.is_revoked(first).await);
        assert!(!scene.is_revoked(second).await);
        let given = scene.card().await.given;
        assert_eq!(given[0].revoked, None);
        assert_eq!(given[1].revoked.as_ref().unwrap().1, "renewed");

        // the year is over, and with it what was decided: an offer that is open gives nothing any more
        let open = scene.offer().await;
        scene.kit.clock.set("2026-12-31T15:59:00Z".parse().unwrap());
        assert!(!scene.is_revoked(second).await);
        scene.kit.clock.set("2027-01-01T00:00:00Z".parse().unwrap());
        assert!(phone.accept(&open.link, Some(&open.pin)).await.is_err());
        assert!(scene.is_revoked(second).await);
        let fallen = scene.card().await;
        assert!(!fallen.may_take && fallen.open.is_none());
        assert_eq!(fallen.given[0].revoked.as_ref().unwrap().1, "fallen");
        scene.kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test]
async fn a_decision_that_is_looked_at_again_takes_its_card_with_it() {
    each_engine(|scene| async move {
        let (desk, id) = (&scene.kit.desk, scene.id);
        let draft = scene.kit.fill(&scene.person, id).await;
        collect::submit(desk, &scene.person, id, draft.revision, draft.form_token)
            .await
            .unwrap();
        let officer = scene.kit.staff("officer", Role::Officer).await;
        scene.kit.approved(&officer, id).await;
        let open = scene.offer().await;
        scene.twin.phone().accept(&open.link, Some(&open.pin)).await.unwrap();
        let index = entry(scene.twin.phone().clear().pop().unwrap());
        assert!(!scene.is_revoked(index).await);
        cases::appeal::lodge(desk, &scene.person, id, "請再看一次")
            .await
            .unwrap();
        let (appeals, _) = cases::appeal::of_case(desk, &officer, id).await.unwrap();
        let appeal = appeals.all[0].clone();
        cases::appeal::set_aside(desk, &officer, appeal.id, appeal.revision, "重新審查")
            .await
            .unwrap();
        scene.kit.clock.advance(SignedDuration::from_secs(61));
        assert!(scene.is_revoked(index).await);
        scene.kit.ledger_holds().await;
    })
    .await;
}

/// The entry of a card in the status lists.
fn entry(card: String) -> usize {
    let token = exchange::jose::Token::parse(card.split('~').next().unwrap(), 1 << 20).unwrap();
    let entry = &token.claims["vc"]["credentialStatus"][0]["statusListIndex"];
    entry.as_str().unwrap().parse().unwrap()
}
