//! 行動自然人憑證 against its twin.

use crate::support::people::{AUTHORITY, HAO, MEI, hidden, people, terms};
use civic::{Clock, FixedClock, NationalId};
use exchange::certificate::{CertificateError, Evidence, Trust};
use exchange::fido::{
    Ask, Config, FidoError, Hash, Mode, Operation, Polled, Proof, Reason, Service, SignType, SignatureError, Signing,
    Ticket, TicketError, Waiting, WebForm, verify,
};
use jiff::{SignedDuration, Timestamp};
use peers::fido::{Faults, Running};
use std::sync::Arc;
use uuid::Uuid;

struct World {
    twin: Running,
    service: Service,
    clock: Arc<FixedClock>,
    person: NationalId,
}

fn config(twin: &Running) -> Config {
    let (facts, more) = (&twin.facts, "");
    toml::from_str(&format!(
        "api = \"{0}\"\nweb = \"{0}\"\nsp_service_id = \"{1}\"\nkey = \"{2}\"\n{more}[client]\nhttps_only = false\n",
        facts.address, facts.sp_service_id, facts.key
    ))
    .unwrap()
}

impl World {
    async fn new() -> World {
        let (clock, terms) = terms();
        let twin = peers::fido::start(peers::fido::Config {
            population: people(),
            authority: AUTHORITY.clone(),
            callback_url: "https://city.example/fido/callback".parse().unwrap(),
            terms,
            port: 0,
        })
        .await
        .unwrap();
        let service = Service::new(config(&twin)).unwrap();
        World {
            twin,
            service,
            clock,
            person: NationalId::parse(MEI).unwrap(),
        }
    }

    async fn with(faults: Faults) -> World {
        let world = World::new().await;
        world.twin.misbehave(faults);
        world
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn ask(&self, mode: Mode, signing: Option<Signing>) -> Ask<'_> {
        Ask {
            person: &self.person,
            mode,
            hint: "示範市府：登入",
            seconds: 120,
            signing,
            by_card: false,
        }
    }

    async fn begin(&self, mode: Mode, signing: Option<Signing>) -> Result<Waiting, FidoError> {
        self.service
            .ask(Uuid::new_v4(), &self.ask(mode, signing), self.now())
            .await
    }

    async fn done(&self, waiting: &Waiting) -> Result<Proof, FidoError> {
        match self.service.poll(waiting, self.now()).await? {
            Polled::Done(proof) => Ok(proof),
            other => panic!("not done: {other:?}"),
        }
    }

    /// A confirmed request from its begin to its proof.
    async fn proof(&self, signing: Option<Signing>) -> Result<Proof, FidoError> {
        let waiting = self.begin(Mode::Scan, signing).await?;
        assert_eq!(self.twin.answer_all(true), 1);
        self.done(&waiting).await
    }
}

fn signing(sign_type: SignType, hash: Hash) -> Signing {
    Signing {
        text: "申請書 第 1150001 號\n同意送出".to_owned(),
        sign_type,
        hash,
    }
}

fn trust() -> Trust {
    Trust::read(&AUTHORITY.root_pem(), &AUTHORITY.authority_pem()).unwrap()
}

fn no_lists() -> Evidence {
    Evidence::read(&[], &[], false, SignedDuration::ZERO).unwrap()
}

#[tokio::test]
async fn a_confirmed_request_is_for_the_person_asked() {
    let world = World::new().await;
    let ways = [
        Mode::Scan,
        Mode::MobileWeb,
        Mode::App,
        Mode::Push { device: String::new() },
        Mode::Push {
            device: "my phone".to_owned(),
        },
    ];
    for mode in ways {
        let waiting = world
            .begin(mode.clone(), None)
            .await
            .unwrap_or_else(|error| panic!("{mode:?}: {error}"));
        let kept: Waiting = serde_json::from_str(&serde_json::to_string(&waiting).unwrap()).unwrap();
        let Polled::Pending(pending) = world.service.poll(&kept, world.now()).await.unwrap() else {
            panic!("{mode:?} is done before it is confirmed")
        };
        assert!(
            matches!(world.service.poll(&pending, world.now()).await, Ok(Polled::TooSoon(pause)) if pause.as_secs() == 4)
        );
        world.clock.advance(SignedDuration::from_secs(3));
        assert!(
            matches!(world.service.poll(&pending, world.now()).await, Ok(Polled::TooSoon(pause)) if pause.as_secs() == 1)
        );
        world.clock.advance(SignedDuration::from_secs(1));
        world.twin.answer_all(true);
        let proof = world.done(&pending).await.unwrap();
        assert_eq!(proof.operation, Operation::Authenticate);
        let again = world.service.poll(&kept, world.now()).await;
        assert!(matches!(again, Err(FidoError::Refused(Reason::Used))), "{again:?}");
    }
}

#[tokio::test]
async fn the_page_of_the_phone_shows_what_is_asked_and_takes_the_answer() {
    let world = World::new().await;
    let waiting = world
        .begin(Mode::Scan, Some(signing(SignType::Pkcs7, Hash::Sha256)))
        .await
        .unwrap();
    let page = reqwest_client().get(world.twin.phone()).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("林阿梅") && page.contains("申請書 第 1150001 號"));
    let mut form = hidden(&page);
    form.push(("answer".to_owned(), "no".to_owned()));
    posted(world.twin.phone(), &form).await;
    assert!(matches!(
        world.done(&waiting).await,
        Err(FidoError::Refused(Reason::Cancelled))
    ));
}

fn reqwest_client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

#[tokio::test]
async fn signatures_are_verified_over_our_own_text() {
    let world = World::new().await;
    for (sign_type, hash) in [
        (SignType::Pkcs1, Hash::Sha256),
        (SignType::Pkcs1, Hash::Sha384),
        (SignType::Pkcs1, Hash::Sha512),
        (SignType::Pkcs7, Hash::Sha256),
    ] {
        let text = signing(sign_type, hash);
        let proof = world.proof(Some(text.clone())).await.unwrap();
        let check = |texts: &[Signing]| verify(&proof, texts, &trust(), &no_lists(), world.now());
        let signer =
            check(std::slice::from_ref(&text)).unwrap_or_else(|error| panic!("{sign_type:?} {hash:?}: {error}"));
        assert!(signer.subject.contains("林阿梅"));
        let mut other = text.clone();
        other.text.push('。');
        assert!(check(&[other]).is_err(), "{sign_type:?} over another text");
        assert!(matches!(check(&[]), Err(SignatureError::Count { asked: 0, found: 1 })));
        let strict = Evidence::read(&[], &[], true, SignedDuration::ZERO).unwrap();
        let unknown = verify(&proof, std::slice::from_ref(&text), &trust(), &strict, world.now());
        assert!(format!("{unknown:?}").contains("UnknownStanding"));
        let mut bare = proof.clone();
        bare.certificate = None;
        let bare = verify(&bare, std::slice::from_ref(&text), &trust(), &no_lists(), world.now());
        assert_eq!(bare.is_err(), sign_type == SignType::Pkcs1);
        let late = world.now() + SignedDuration::from_hours(24 * 3000);
        assert!(
            verify(&proof, &[text], &trust(), &no_lists(), late).is_err(),
            "years later"
        );
    }
}

#[tokio::test]
async fn signatures_under_another_root_or_over_another_text_are_refused() {
    let world = World::new().await;
    let text = signing(SignType::Pkcs1, Hash::Sha256);
    let proof = world.proof(Some(text.clone())).await.unwrap();
    let stranger = peers::Authority::new().unwrap();
    let trust_of_stranger = Trust::read(&stranger.root_pem(), "").unwrap();
    assert!(matches!(
        verify(
            &proof,
            std::slice::from_ref(&text),
            &trust_of_stranger,
            &no_lists(),
            world.now()
        ),
        Err(SignatureError::Certificate(
            CertificateError::UnknownIssuer | CertificateError::WrongChainSignature
        ))
    ));
    world.twin.misbehave(Faults {
        wrong_signature: true,
        ..Faults::default()
    });
    let proof = world.proof(Some(text.clone())).await.unwrap();
    assert!(matches!(
        verify(&proof, &[text], &trust(), &no_lists(), world.now()),
        Err(SignatureError::Certificate(CertificateError::UnknownSignature))
    ));
}

#[tokio::test]
async fn a_batch_is_signed_text_by_text() {
    let world = World::new().await;
    let texts: Vec<Signing> = ["一", "二", "三"]
        .map(|text| Signing {
            text: text.to_owned(),
            ..signing(SignType::Pkcs7, Hash::Sha256)
        })
        .into();
    let ask = world.ask(Mode::Scan, None);
    let waiting = world
        .service
        .ask_batch(Uuid::new_v4(), &ask, &texts, world.now())
        .await
        .unwrap();
    world.twin.answer_all(true);
    let proof = world.done(&waiting).await.unwrap();
    assert!(verify(&proof, &texts, &trust(), &no_lists(), world.now()).is_ok());
    let mut swapped = texts.clone();
    swapped.swap(0, 1);
    assert!(verify(&proof, &swapped, &trust(), &no_lists(), world.now()).is_err());
    for count in [0, 21] {
        let texts = vec![signing(SignType::Pkcs7, Hash::Sha256); count];
        let refused = world.service.ask_batch(Uuid::new_v4(), &ask, &texts, world.now()).await;
        assert!(matches!(refused, Err(FidoError::Request(_))));
    }
}

#[tokio::test]
async fn what_the_authority_refuses_is_told_with_its_reason() {
    let begun = async |faults: Faults| World::with(faults).await.begin(Mode::Scan, None).await.unwrap_err();
    let reason = |error: FidoError| match error {
        FidoError::Refused(reason) => reason,
        other => panic!("{other:?}"),
    };
    let not_enrolled = begun(Faults {
        not_enrolled: true,
        ..Faults::default()
    })
    .await;
    assert_eq!(reason(not_enrolled), Reason::NotEnrolled);
    let strange = begun(Faults {
        strange_code: true,
        ..Faults::default()
    })
    .await;
    assert_eq!(reason(strange), Reason::Other);
    let world = World::new().await;
    let push = world
        .begin(
            Mode::Push {
                device: "another phone".to_owned(),
            },
            None,
        )
        .await;
    assert_eq!(reason(push.unwrap_err()), Reason::Device);
    let transaction = Uuid::new_v4();
    let ask = world.ask(Mode::Scan, None);
    world.service.ask(transaction, &ask, world.now()).await.unwrap();
    let twice = world.service.ask(transaction, &ask, world.now()).await;
    assert_eq!(reason(twice.unwrap_err()), Reason::Repeated);
    let waiting = world.begin(Mode::Scan, None).await.unwrap();
    world.twin.misbehave(Faults {
        expired: true,
        ..Faults::default()
    });
    assert_eq!(reason(world.done(&waiting).await.unwrap_err()), Reason::Expired);
    world.clock.advance(SignedDuration::from_secs(151));
    assert!(matches!(
        world.service.poll(&waiting, world.now()).await,
        Err(FidoError::TooLate)
    ));
    let mut wrong_key = config(&world.twin);
    wrong_key.key = openssl::base64::encode_block(&[1; 32]);
    let service = Service::new(wrong_key).unwrap();
    let refused = service.ask(Uuid::new_v4(), &ask, world.now()).await;
    assert_eq!(reason(refused.unwrap_err()), Reason::Checksum);
}

#[tokio::test]
async fn answers_that_are_not_the_authoritys_are_refused() {
    let forged = World::with(Faults {
        wrong_checksum: true,
        ..Faults::default()
    })
    .await;
    assert!(matches!(forged.begin(Mode::Scan, None).await, Err(FidoError::Checksum)));
    assert!(matches!(
        forged.service.device(Uuid::new_v4(), &forged.person).await,
        Err(FidoError::Checksum)
    ));
    let altered = World::with(Faults {
        altered_ticket: true,
        ..Faults::default()
    })
    .await;
    assert!(matches!(
        altered.begin(Mode::Scan, None).await,
        Err(FidoError::Ticket(TicketError::Altered))
    ));
    let cut = World::with(Faults {
        truncated: true,
        ..Faults::default()
    })
    .await;
    assert!(matches!(cut.begin(Mode::Scan, None).await, Err(FidoError::Answer(_))));
    let other = World::with(Faults {
        other_person: true,
        ..Faults::default()
    })
    .await;
    assert!(matches!(other.proof(None).await, Err(FidoError::OtherPerson)));
    let late_forgery = World::new().await;
    let waiting = late_forgery.begin(Mode::Scan, None).await.unwrap();
    late_forgery.twin.answer_all(true);
    late_forgery.twin.misbehave(Faults {
        wrong_checksum: true,
        ..Faults::default()
    });
    assert!(matches!(late_forgery.done(&waiting).await, Err(FidoError::Checksum)));
}

#[tokio::test]
async fn requests_that_would_be_refused_are_not_sent() {
    let world = World::new().await;
    let long = Signing {
        text: "字".repeat(1025),
        ..signing(SignType::Pkcs1, Hash::Sha256)
    };
    for change in [
        (|ask: &mut Ask<'_>| ask.seconds = 29) as fn(&mut Ask<'_>),
        |ask| ask.seconds = 601,
        |ask| ask.hint = "two\nlines",
    ] {
        let mut ask = world.ask(Mode::Scan, None);
        change(&mut ask);
        let refused = world.service.ask(Uuid::new_v4(), &ask, world.now()).await;
        assert!(matches!(refused, Err(FidoError::Request(_))));
    }
    assert!(matches!(
        world.begin(Mode::Scan, Some(long)).await,
        Err(FidoError::Request(_))
    ));
}

#[tokio::test]
async fn says_who_is_enrolled() {
    let world = World::new().await;
    let device = world.service.device(Uuid::new_v4(), &world.person).await.unwrap();
    assert!(device.is_enrolled && device.may_sign);
    let nobody = NationalId::parse("A234567893")
        .or_else(|_| NationalId::compose('A', '2', 7))
        .unwrap();
    let device = world.service.device(Uuid::new_v4(), &nobody).await.unwrap();
    assert!(!device.is_enrolled && !device.may_sign);
}

/// What the browser reads after it has posted a form.
async fn posted(to: impl reqwest::IntoUrl, fields: &[(impl AsRef<str>, impl AsRef<str>)]) -> String {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_ref()))
        .collect();
    let answer = reqwest_client().post(to).form(&fields).send().await.unwrap();
    answer.text().await.unwrap()
}

#[tokio::test]
async fn the_authoritys_own_page_brings_back_the_person() {
    let world = World::new().await;
    let text = signing(SignType::Pkcs1, Hash::Sha256);
    let begin = || world.service.web_form(Uuid::new_v4(), "示範市府", 120, &text).unwrap();
    // the person's answer on the authority's page; the body that the browser brings back
    let callback = async |form: &WebForm, id: &str, answer: &str| {
        let page = posted(form.action.clone(), &form.fields).await;
        let mut fields = hidden(&page);
        fields.push(("id_num".to_owned(), id.to_owned()));
        fields.push(("answer".to_owned(), answer.to_owned()));
        let done = posted(format!("{}/fidoRedirect/confirm", world.twin.facts.address), &fields).await;
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(hidden(&done))
            .finish()
    };
    let form = begin();
    let body = callback(&form, HAO, "yes").await;
    let read = |body: &str, transaction: Uuid| {
        world
            .service
            .read_callback(body.as_bytes(), transaction, form.operation)
    };
    let (person, proof) = read(&body, form.transaction_id).unwrap();
    assert_eq!(person.reveal(), HAO);
    assert!(verify(&proof, std::slice::from_ref(&text), &trust(), &no_lists(), world.now()).is_ok());
    assert!(matches!(read(&body, Uuid::new_v4()), Err(FidoError::OtherTransaction)));
    assert!(matches!(
        read(&body.replace(HAO, MEI), form.transaction_id),
        Err(FidoError::Checksum)
    ));
    assert!(matches!(
        read(&format!("{body}&id_num={MEI}"), form.transaction_id),
        Err(FidoError::Answer(_))
    ));
    let form = begin();
    let body = callback(&form, HAO, "no").await;
    let declined = world
        .service
        .read_callback(body.as_bytes(), form.transaction_id, form.operation);
    assert!(
        matches!(declined, Err(FidoError::Refused(Reason::Cancelled))),
        "{declined:?}"
    );
}

#[tokio::test]
async fn the_app_is_opened_with_the_ticket() {
    let world = World::new().await;
    let waiting = world.begin(Mode::MobileWeb, None).await.unwrap();
    let link = world
        .service
        .app_link(&waiting, &"https://city.example/back".parse().unwrap(), "7");
    let link = url::Url::parse(&link).unwrap();
    assert_eq!(
        (link.scheme(), link.host_str(), link.path()),
        ("mobilemoica", Some("moica.moi.gov.tw"), "/a2a/verifySign")
    );
    let query: Vec<(String, String)> = link.query_pairs().into_owned().collect();
    assert_eq!(query[0], ("sp_ticket".to_owned(), waiting.ticket.clone()));
    assert_eq!(query[1].1, openssl::base64::encode_block(b"https://city.example/back"));
    assert!(Ticket::parse(&waiting.ticket).is_ok());
    for altered in ["", "a.b", &format!("x{}", waiting.ticket), &waiting.ticket[..40]] {
        assert!(Ticket::parse(altered).is_err());
    }
    assert_eq!(Ticket::parse(&"a".repeat(20_000)), Err(TicketError::TooLarge));
}
