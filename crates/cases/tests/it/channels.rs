//! Channels that people choose, and messages on all of them, against the twins of the outside parties.

use cases::channels::{self, Ways};
use cases::{CaseError, Person};
use civic::Language;
use civic::ids::{ApplicationId, ChannelId};
use exchange::notify::{line, sms, webpush};
use peers::notices::{Config, Running, Taken, start};
use serde_json::json;
use store::access::{Actor, Resource};
use store::seal::Place;
use store::tables::channel::{Kind, State};
use store::tables::delivery::State as Sent;
use store::tables::{channel, delivery, message, person};

use crate::support::{Kit, ZH, each_engine, post};

const LIN: &str = "U0123456789abcdef0123456789abcdef";

pub async fn twin() -> Running {
    start(Config {
        account: ("city".to_owned(), "password".to_owned()),
        line_token: "channel-token".to_owned(),
        line_secret: "channel-secret".to_owned(),
        webhook: None,
        port: 0,
    })
    .await
    .unwrap()
}

/// The city on the ways of a twin.
pub fn ways(address: &str) -> Ways {
    let client = json!({ "https_only": false, "answer_seconds": 5 });
    let sms: sms::Config = serde_json::from_value(json!({
        "url": format!("{address}/sms/send"),
        "body": "username=city&password=password&dstaddr={to}&smbody={text}&clientid={id}",
        "success": ["statuscode=1"],
        "never": ["statuscode=v"],
        "client": client,
    }))
    .unwrap();
    let line: line::Config = serde_json::from_value(json!({
        "endpoint": format!("{address}/v2/bot/message/push"),
        "token": "channel-token",
        "secret": "channel-secret",
        "client": client,
    }))
    .unwrap();
    let push: webpush::Config = serde_json::from_value(json!({
        "key": peers::push::key().unwrap(),
        "contact": "mailto:city@demo.invalid",
        "services": ["127.0.0.1"],
        "client": client,
    }))
    .unwrap();
    Ways {
        sms: Some(sms::Gateway::new(sms).unwrap()),
        line: Some(line::Line::new(line).unwrap()),
        push: Some(webpush::Pusher::new(push).unwrap()),
    }
}

fn of<'a>(taken: &'a [Taken], way: &str) -> Vec<&'a Taken> {
    taken.iter().filter(|taken| taken.way == way).collect()
}

/// The six digits of a text.
pub fn code(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    words.find(|word| word.len() == 6).unwrap().to_owned()
}

/// The code that a channel waits for: in a mail it is encoded.
async fn code_in(kit: &Kit, id: ChannelId) -> String {
    let db = kit.desk.store.read();
    let row = channel::by_id(db, id.uuid()).await.unwrap().unwrap();
    let owner = person::by_id(db, row.person_id).await.unwrap().unwrap();
    let purpose = civic::Purpose {
        code: "135".to_owned(),
        basis: "test".to_owned(),
        function: "channels".to_owned(),
        application: None,
    };
    let profile = Resource::Profile(row.person_id);
    let access = kit.desk.store.access();
    let grant = access.decide(Actor::System, "channels", profile, purpose).unwrap();
    let place = Place::new("channel", "sealed", &row.id);
    let sealed = row.sealed.unwrap();
    let seal = kit.desk.store.seal();
    let plain = seal
        .open(db, &grant, owner.key_id.into(), place, &sealed)
        .await
        .unwrap();
    let content: serde_json::Value = serde_json::from_slice(&plain).unwrap();
    content["code"].as_str().unwrap().to_owned()
}

/// A mobile number that is confirmed.
pub async fn number(kit: &Kit, twin: &Running, person: &Person, number: &str, language: Language) -> ChannelId {
    let id = channels::ask(&kit.desk, person, Kind::Sms, number, language)
        .await
        .unwrap();
    kit.work().await;
    let sent = twin.taken().pop().unwrap();
    channels::confirm(&kit.desk, person, id, &code(&sent.text))
        .await
        .unwrap();
    id
}

/// A LINE account that is linked.
pub async fn linked(kit: &Kit, twin: &Running, person: &Person, language: Language) {
    channels::link(&kit.desk, person, language).await.unwrap();
    let shown = channels::overview(&kit.desk, person).await.unwrap();
    let code = shown.channels.iter().find_map(|channel| channel.code.clone()).unwrap();
    let (body, signature) = twin.told(LIN, Some(&code)).unwrap();
    channels::told(&kit.desk, &body, &signature).await.unwrap();
}

/// The clock of the city goes as that of the push service does, which looks at the day of the city's proof.
pub fn at_the_time_of_the_push_service(kit: &Kit) {
    let now = jiff::Timestamp::now();
    kit.clock.advance(now.duration_since(kit.desk.now()));
}

/// A browser of this name that lets the city notify it.
pub async fn browser(kit: &Kit, twin: &Running, person: &Person, name: &str) -> ChannelId {
    let (endpoint, p256dh, auth) = twin.subscribe(name).unwrap();
    let given = json!({ "endpoint": endpoint, "keys": { "p256dh": p256dh, "auth": auth } }).to_string();
    channels::subscribe(&kit.desk, person, &given, ZH).await.unwrap()
}

pub async fn rows(kit: &Kit, id: ApplicationId) -> Vec<delivery::Model> {
    delivery::of_application(kit.desk.store.read(), id.uuid())
        .await
        .unwrap()
}

pub async fn status(kit: &Kit, id: ApplicationId) -> String {
    let all = message::of_application(kit.desk.store.read(), id.uuid()).await.unwrap();
    all.into_iter().next().unwrap().status
}

pub fn problem(error: CaseError) -> (&'static str, &'static str) {
    match error {
        CaseError::Input { field, problem } => (field, problem),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_message_goes_to_every_channel_that_was_chosen_and_to_no_other() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        at_the_time_of_the_push_service(&kit);
        let person = kit.person(1).await;
        let (first, _) = kit.submitted(&person).await;
        kit.work().await;
        // nothing was chosen yet, and no mail server is connected
        assert!(twin.taken().is_empty() && rows(&kit, first).await.is_empty());
        assert_eq!(status(&kit, first).await, "no_address");

        number(&kit, &twin, &person, "0912-345-678", ZH).await;
        linked(&kit, &twin, &person, Language::Vi).await;
        browser(&kit, &twin, &person, "phone").await;
        let before = twin.taken().len();
        let other = kit.person(2).await;
        let (second, receipt) = kit.submitted(&person).await;
        let (strange, _) = kit.submitted(&other).await;
        kit.work().await;
        let taken = twin.taken().split_off(before);
        assert_eq!(taken.len(), 3, "{taken:?}");
        assert!(rows(&kit, strange).await.is_empty());
        let text = &of(&taken, "sms")[0];
        assert_eq!(text.to, "0912345678");
        assert!(text.text.contains(&receipt.number) && text.text.contains("https://city.example/applications/"));
        assert!(
            of(&taken, "line")[0].text.contains("Đã nhận đơn số"),
            "in the language of the channel"
        );
        let push = of(&taken, "push")[0];
        assert!(
            push.text.contains("\"link\":\"https://city.example/applications/"),
            "{}",
            push.text
        );
        // nobody near the phone learns which service it is
        let service = kit.desk.service(crate::support::SERVICE).unwrap();
        assert!(
            taken
                .iter()
                .all(|taken| !taken.text.contains(service.meta.name.get(ZH)))
        );
        let all = rows(&kit, second).await;
        assert!(
            all.iter()
                .all(|row| row.state == Sent::Sent && row.tries == 1 && row.sent_at.is_some())
        );
        // each is known to the other side by the name of its delivery
        assert!(all.iter().any(|row| row.id.to_string() == text.id));
        assert_eq!(status(&kit, second).await, "sent");
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test]
async fn a_code_confirms_an_address_within_its_time_and_its_tries() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        let (person, other) = (kit.person(1).await, kit.person(2).await);
        let desk = &kit.desk;
        for wrong in ["", "12", "02-12345678", "0912345678x"] {
            let refused = channels::ask(desk, &person, Kind::Sms, wrong, ZH).await.unwrap_err();
            assert_eq!(problem(refused), ("sms", "unusable"), "{wrong}");
        }
        let unset = channels::ask(desk, &person, Kind::Email, "a@city.example", ZH)
            .await
            .unwrap_err();
        assert_eq!(problem(unset), ("email", "unset"), "no mail server");
        let id = channels::ask(desk, &person, Kind::Sms, "0912345678", ZH).await.unwrap();
        kit.work().await;
        let sent = code(&twin.taken().pop().unwrap().text);
        let wrong = if sent == "000000" { "111111" } else { "000000" };
        // it is not somebody else's to confirm or to end
        assert!(matches!(
            channels::confirm(desk, &other, id, &sent).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            channels::withdraw(desk, &other, id).await,
            Err(CaseError::NotFound(_))
        ));
        for _ in 0..4 {
            let refused = channels::confirm(desk, &person, id, wrong).await.unwrap_err();
            assert_eq!(problem(refused), ("code", "wrong"));
        }
        for typed in [wrong, sent.as_str()] {
            let over = channels::confirm(desk, &person, id, typed).await.unwrap_err();
            assert_eq!(
                problem(over),
                ("code", "over"),
                "after five wrong ones the right one is not taken"
            );
        }
        channels::ask_again(desk, &person, id).await.unwrap();
        kit.work().await;
        let second = code(&twin.taken().pop().unwrap().text);
        kit.clock.advance(jiff::SignedDuration::from_mins(16));
        let over = channels::confirm(desk, &person, id, &second).await.unwrap_err();
        assert_eq!(problem(over), ("code", "over"), "after a quarter of an hour");
        channels::ask_again(desk, &person, id).await.unwrap();
        kit.work().await;
        let third = code(&twin.taken().pop().unwrap().text);
        channels::confirm(desk, &person, id, &format!(" {} {} ", &third[..3], &third[3..]))
            .await
            .unwrap();
        let row = channel::by_id(desk.store.read(), id.uuid()).await.unwrap().unwrap();
        assert_eq!(row.state, State::Confirmed);
        // a person is sent few codes a day, to whatever number
        for number in ["0922000001", "0922000002"] {
            channels::ask(desk, &person, Kind::Sms, number, ZH).await.unwrap();
        }
        let many = channels::ask(desk, &person, Kind::Sms, "0922000003", ZH)
            .await
            .unwrap_err();
        assert_eq!(problem(many), ("sms", "too_many"));
        kit.wait(25);
        channels::ask(desk, &person, Kind::Sms, "0922000003", ZH).await.unwrap();
        // the number that was confirmed stands as long as no other one is
        let shown = channels::overview(desk, &person).await.unwrap();
        let states: Vec<_> = shown
            .channels
            .iter()
            .map(|one| (one.state, one.shown.as_str()))
            .collect();
        assert!(states.contains(&(State::Confirmed, "0912***678")), "{states:?}");
        assert!(states.contains(&(State::Asked, "0922***003")), "{states:?}");
        // what was never confirmed is not kept
        kit.wait(25);
        assert_eq!(cases::jobs::tidy(desk).await.unwrap().channels, 3);
    })
    .await;
}

#[tokio::test]
async fn a_channel_that_was_withdrawn_gets_nothing_more() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        let person = kit.person(1).await;
        let id = number(&kit, &twin, &person, "0912345678", ZH).await;
        let before = twin.taken().len();
        let (case, _) = kit.submitted(&person).await;
        // it is on its way when the person says no
        channels::withdraw(&kit.desk, &person, id).await.unwrap();
        channels::withdraw(&kit.desk, &person, id).await.unwrap();
        kit.work().await;
        assert_eq!(twin.taken().len(), before);
        let all = rows(&kit, case).await;
        assert_eq!(
            (all[0].state, all[0].problem.as_deref()),
            (Sent::Ended, Some("withdrawn"))
        );
        assert_eq!(status(&kit, case).await, "failed");
        let row = channel::by_id(kit.desk.store.read(), id.uuid()).await.unwrap().unwrap();
        assert!(row.sealed.is_none(), "the address is forgotten");
        // the same number can be chosen anew
        assert_eq!(number(&kit, &twin, &person, "0912345678", ZH).await, id);
        let before = twin.taken().len();
        kit.submitted(&person).await;
        kit.work().await;
        assert_eq!(twin.taken().len(), before + 1);
    })
    .await;
}

#[tokio::test]
async fn a_linked_line_account_is_the_one_that_wrote_the_code_and_a_block_ends_it() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        let desk = &kit.desk;
        let person = kit.person(1).await;
        channels::link(desk, &person, ZH).await.unwrap();
        let waiting = channels::overview(desk, &person).await.unwrap();
        let code = waiting.channels[0].code.clone().unwrap();
        let (body, signature) = twin.told(LIN, Some(&code)).unwrap();
        let (block, of_block) = twin.told(LIN, None).unwrap();
        let forged = channels::told(desk, &body, &of_block).await.unwrap_err();
        assert_eq!(problem(forged), ("signature", "unusable"));
        assert_eq!(
            channels::overview(desk, &person).await.unwrap().channels[0].state,
            State::Asked
        );
        // a code that nobody waits for links nobody, and says so
        let (wrong, of_wrong) = twin.told(LIN, Some("AAAA2222")).unwrap();
        channels::told(desk, &wrong, &of_wrong).await.unwrap();
        assert!(twin.taken().pop().unwrap().text.contains("不能用"));
        // LINE tells a thing twice when it got no answer
        for _ in 0..2 {
            channels::told(desk, &body, &signature).await.unwrap();
        }
        let shown = channels::overview(desk, &person).await.unwrap();
        assert_eq!((shown.channels.len(), shown.channels[0].state), (1, State::Confirmed));
        let before = twin.taken().len();
        kit.submitted(&person).await;
        kit.work().await;
        assert_eq!(twin.taken().len(), before + 1);
        channels::told(desk, &block, &of_block).await.unwrap();
        let shown = channels::overview(desk, &person).await.unwrap();
        let gone = &shown.channels[0];
        assert_eq!((gone.state, gone.problem.as_deref()), (State::Gone, Some("unfollowed")));
        let (case, _) = kit.submitted(&person).await;
        kit.work().await;
        assert!(rows(&kit, case).await.is_empty());
        // a code is good for a quarter of an hour
        channels::link(desk, &person, ZH).await.unwrap();
        let late = channels::overview(desk, &person).await.unwrap();
        let late = late.channels.iter().find_map(|one| one.code.clone()).unwrap();
        kit.clock.advance(jiff::SignedDuration::from_mins(16));
        let (body, signature) = twin.told(LIN, Some(&late)).unwrap();
        channels::told(desk, &body, &signature).await.unwrap();
        let shown = channels::overview(desk, &person).await.unwrap();
        assert!(shown.channels.iter().all(|one| one.state != State::Confirmed));
    })
    .await;
}

#[tokio::test]
async fn an_agent_can_not_say_where_somebody_is_told() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        let (person, agent) = (kit.person(1).await, kit.person(2).await);
        let id = crate::agents::entrusted(&kit, &person, &agent, 2, &cases::agents::Power::ALL).await;
        let acting = crate::agents::acting(&kit, &agent, id).await;
        let desk = &kit.desk;
        assert!(matches!(
            channels::overview(desk, &acting).await,
            Err(CaseError::Refused(_))
        ));
        assert!(matches!(
            channels::ask(desk, &acting, Kind::Sms, "0912345678", ZH).await,
            Err(CaseError::Refused(_))
        ));
        assert!(matches!(
            channels::link(desk, &acting, ZH).await,
            Err(CaseError::Refused(_))
        ));
    })
    .await;
}

#[tokio::test]
async fn a_mail_address_is_confirmed_by_mail_and_one_that_the_form_gave_is_written_to_once() {
    each_engine(async |kit| {
        let (mailer, kept) = post().await;
        let kit = kit.mailing(mailer);
        let mails = || kept.lock().unwrap().clone();
        let person = kit.person(1).await;
        for wrong in ["", "a", "a@b", "a b@city.example", "a@city.example\r\nBcc: x@y.example"] {
            let refused = channels::ask(&kit.desk, &person, Kind::Email, wrong, ZH)
                .await
                .unwrap_err();
            assert_eq!(problem(refused), ("email", "unusable"), "{wrong}");
        }
        // what the form gave is written to without anything being chosen, as ever
        let (first, _) = kit.submitted(&person).await;
        kit.work().await;
        assert_eq!(mails().len(), 1);
        let row = rows(&kit, first).await.remove(0);
        assert_eq!((row.channel_id, row.state, row.id), (None, Sent::Sent, row.message_id));
        assert!(
            mails()[0].1.contains(&format!("<{}@", row.id)),
            "it carries the name of its message"
        );
        let id = channels::ask(&kit.desk, &person, Kind::Email, "Wang@City.example", Language::En)
            .await
            .unwrap();
        kit.work().await;
        assert_eq!(mails().pop().unwrap().0, "Wang@City.example");
        channels::confirm(&kit.desk, &person, id, &code_in(&kit, id).await)
            .await
            .unwrap();
        let before = mails().len();
        let (second, _) = kit.submitted(&person).await;
        kit.work().await;
        let receivers: Vec<String> = mails().split_off(before).into_iter().map(|(to, _)| to).collect();
        assert_eq!(receivers.len(), 2, "{receivers:?}");
        assert!(receivers.contains(&"elder@people.example".to_owned()));
        assert_eq!(rows(&kit, second).await.len(), 2);
        // the same address in both places gets one
        let id = channels::ask(&kit.desk, &person, Kind::Email, "ELDER@people.example", ZH)
            .await
            .unwrap();
        kit.work().await;
        channels::confirm(&kit.desk, &person, id, &code_in(&kit, id).await)
            .await
            .unwrap();
        let (third, _) = kit.submitted(&person).await;
        kit.work().await;
        assert_eq!(rows(&kit, third).await.len(), 1);
        assert_eq!(status(&kit, third).await, "sent");
    })
    .await;
}
