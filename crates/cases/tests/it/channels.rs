//! Channels that people choose, and messages on all of them, against the twins of the outside parties.

use std::collections::BTreeMap;
use std::sync::Arc;

use cases::channels::{self, Ways};
use cases::deliveries;
use cases::staff::Role;
use cases::{CaseError, Person, collect};
use civic::Language;
use civic::ids::{ApplicationId, ChannelId, DeliveryId};
use exchange::notify::{line, sms, webpush};
use peers::notices::{Config, Faults, Running, Taken, start};
use serde_json::json;
use services::Catalogue;
use store::outbox;
use store::sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use store::tables::channel::{Kind, State};
use store::tables::delivery::State as Sent;
use store::tables::{channel, delivery, message};

use crate::support::{Kit, ZH, each_engine};

const LIN: &str = "U0123456789abcdef0123456789abcdef";

async fn twin() -> Running {
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
fn code(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    words.find(|word| word.len() == 6).unwrap().to_owned()
}

/// A mobile number that is confirmed.
async fn number(kit: &Kit, twin: &Running, person: &Person, number: &str, language: Language) -> ChannelId {
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
async fn linked(kit: &Kit, twin: &Running, person: &Person, language: Language) {
    channels::link(&kit.desk, person, language).await.unwrap();
    let shown = channels::overview(&kit.desk, person).await.unwrap();
    let code = shown.channels.iter().find_map(|channel| channel.code.clone()).unwrap();
    let (body, signature) = twin.told(LIN, Some(&code)).unwrap();
    channels::told(&kit.desk, &body, &signature).await.unwrap();
}

/// A browser of this name that lets the city notify it.
async fn browser(kit: &Kit, twin: &Running, person: &Person, name: &str) -> ChannelId {
    let (endpoint, p256dh, auth) = twin.subscribe(name).unwrap();
    let given = json!({ "endpoint": endpoint, "keys": { "p256dh": p256dh, "auth": auth } }).to_string();
    channels::subscribe(&kit.desk, person, &given, ZH).await.unwrap()
}

async fn rows(kit: &Kit, id: ApplicationId) -> Vec<delivery::Model> {
    delivery::of_application(kit.desk.store.read(), id.uuid())
        .await
        .unwrap()
}

async fn status(kit: &Kit, id: ApplicationId) -> String {
    let all = message::of_application(kit.desk.store.read(), id.uuid()).await.unwrap();
    all.into_iter().next().unwrap().status
}

fn problem(error: CaseError) -> (&'static str, &'static str) {
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
async fn what_is_not_taken_is_tried_again_as_the_other_side_asks_and_then_left_to_a_person() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        let admin = kit.staff("admin", Role::Administrator).await;
        let person = kit.person(1).await;
        number(&kit, &twin, &person, "0912345678", ZH).await;
        let before = twin.taken().len();
        twin.misbehave(Faults {
            status: 429,
            retry_after: Some("7200".to_owned()),
            ..Faults::default()
        });
        let (case, _) = kit.submitted(&person).await;
        kit.work().await;
        let first = rows(&kit, case).await.remove(0);
        assert_eq!(
            (first.state, first.tries, first.problem.as_deref()),
            (Sent::Later, 1, Some("too_many"))
        );
        kit.wait(1);
        kit.work().await;
        assert_eq!(
            rows(&kit, case).await[0].tries,
            1,
            "not before the time that it asked for"
        );
        twin.misbehave(Faults {
            status: 503,
            ..Faults::default()
        });
        for _ in 0..12 {
            kit.wait(7);
            kit.work().await;
        }
        let dead = rows(&kit, case).await.remove(0);
        assert_eq!(
            (dead.state, dead.tries, dead.problem.as_deref()),
            (Sent::Dead, 12, Some("busy"))
        );
        assert_eq!(status(&kit, case).await, "failed");
        let seen = deliveries::overview(&kit.desk, &admin).await.unwrap();
        let sms = seen.channels.iter().find(|row| row.kind == Kind::Sms).unwrap();
        assert_eq!((sms.stuck, sms.later, sms.queued, sms.oldest), (1, 0, 0, None));
        assert_eq!(seen.stuck[0].message, "received");
        assert!(seen.stuck[0].number.is_some());
        let id = seen.stuck[0].id;
        let officer = kit.staff("officer", Role::Officer).await;
        assert!(matches!(
            deliveries::again(&kit.desk, &officer, id).await,
            Err(CaseError::Refused(_))
        ));
        twin.misbehave(Faults::default());
        deliveries::again(&kit.desk, &admin, id).await.unwrap();
        assert!(matches!(
            deliveries::again(&kit.desk, &admin, id).await,
            Err(CaseError::Conflict(_))
        ));
        assert_eq!(status(&kit, case).await, "queued");
        kit.work().await;
        assert_eq!(twin.taken().len(), before + 1);
        assert_eq!(
            (rows(&kit, case).await[0].state, status(&kit, case).await.as_str()),
            (Sent::Sent, "sent")
        );
        assert!(deliveries::overview(&kit.desk, &admin).await.unwrap().stuck.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_for_good_is_shown_and_can_be_given_up_with_a_reason() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        let admin = kit.staff("admin", Role::Administrator).await;
        let person = kit.person(1).await;
        number(&kit, &twin, &person, "0912345678", ZH).await;
        twin.misbehave(Faults {
            gateway: Some("statuscode=v".to_owned()),
            ..Faults::default()
        });
        let (case, _) = kit.submitted(&person).await;
        kit.work().await;
        let row = rows(&kit, case).await.remove(0);
        assert_eq!((row.state, row.problem.as_deref()), (Sent::Failed, Some("refused")));
        let id = DeliveryId::from_uuid(row.id);
        let no_reason = deliveries::give_up(&kit.desk, &admin, id, " ").await.unwrap_err();
        assert_eq!(problem(no_reason), ("reason", "needed"));
        deliveries::give_up(&kit.desk, &admin, id, "已打電話通知")
            .await
            .unwrap();
        assert!(matches!(
            deliveries::give_up(&kit.desk, &admin, id, "again").await,
            Err(CaseError::Conflict(_))
        ));
        let row = rows(&kit, case).await.remove(0);
        assert_eq!((row.state, row.reason.as_deref()), (Sent::Ended, Some("已打電話通知")));
        assert!(deliveries::overview(&kit.desk, &admin).await.unwrap().stuck.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_is_gone_is_forgotten() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        let person = kit.person(1).await;
        for wrong in [
            "",
            "{}",
            "{\"endpoint\":\"https://evil.example/\",\"keys\":{\"p256dh\":\"a\",\"auth\":\"b\"}}",
        ] {
            let refused = channels::subscribe(&kit.desk, &person, wrong, ZH).await.unwrap_err();
            assert_eq!(problem(refused), ("push", "unusable"), "{wrong}");
        }
        let id = browser(&kit, &twin, &person, "phone").await;
        browser(&kit, &twin, &person, "laptop").await;
        twin.unsubscribe("phone");
        let (case, _) = kit.submitted(&person).await;
        kit.work().await;
        let mut states: Vec<Sent> = rows(&kit, case).await.iter().map(|row| row.state).collect();
        states.sort();
        assert_eq!(states, [Sent::Sent, Sent::Gone]);
        assert_eq!(status(&kit, case).await, "sent", "one channel took it");
        let row = channel::by_id(kit.desk.store.read(), id.uuid()).await.unwrap().unwrap();
        assert_eq!((row.state, row.sealed), (State::Gone, None));
        let (next, _) = kit.submitted(&person).await;
        kit.work().await;
        assert_eq!(rows(&kit, next).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_crash_between_sending_and_noting_doubles_nothing() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        let person = kit.person(1).await;
        number(&kit, &twin, &person, "0912345678", ZH).await;
        linked(&kit, &twin, &person, ZH).await;
        let (case, _) = kit.submitted(&person).await;
        kit.work().await;
        let before = twin.taken().len();
        // as if the process had died before the outcome was written
        kit.desk
            .store
            .write(move |tx| {
                Box::pin(async move {
                    use store::sea_orm::sea_query::Expr;
                    delivery::Entity::update_many()
                        .col_expr(delivery::Column::State, Expr::value(Sent::Queued))
                        .filter(delivery::Column::ApplicationId.eq(case.uuid()))
                        .exec(tx)
                        .await?;
                    store::tables::outbox::Entity::update_many()
                        .col_expr(store::tables::outbox::Column::State, Expr::value("waiting"))
                        .filter(store::tables::outbox::Column::Kind.eq("deliver"))
                        .exec(tx)
                        .await?;
                    Ok::<_, CaseError>(())
                })
            })
            .await
            .unwrap();
        assert!(kit.work().await >= 2);
        assert_eq!(twin.taken().len(), before, "the other sides know them by their names");
        assert!(rows(&kit, case).await.iter().all(|row| row.state == Sent::Sent));
        assert_eq!(outbox::waiting(&kit.desk.store).await.unwrap(), 0);
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

/// A catalogue of one service with its own words.
fn worded(folder: &std::path::Path) -> Catalogue {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (from, to) = (
        root.join("services").join(crate::support::SERVICE),
        folder.join(crate::support::SERVICE),
    );
    copy(&from, &to);
    let texts = BTreeMap::from([
        (
            "zh-TW/received.txt",
            "【{city}】津貼收件 {number}\n\n{service}的承辦人會打電話給您。{link} {phone}\n",
        ),
        (
            "zh-TW/received.short.txt",
            "【{city}】承辦人會打給您，案號 {number} {link}\n",
        ),
    ]);
    for (name, text) in texts {
        let path = to.join("messages").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let catalogue = Catalogue::load(folder, &root.join("datasets"));
    assert!(catalogue.withdrawn().is_empty(), "{:?}", catalogue.withdrawn());
    catalogue
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => std::fs::copy(entry.path(), to.join(entry.file_name()))
                .map(drop)
                .unwrap(),
        }
    }
}

#[tokio::test]
async fn a_service_words_its_own_messages_and_the_rest_are_the_general_ones() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.offering(worded(folder.path())).told_by(ways(&twin.address));
        let person = kit.person(1).await;
        number(&kit, &twin, &person, "0912345678", ZH).await;
        let (case, _) = kit.submitted(&person).await;
        kit.work().await;
        let text = twin.taken().pop().unwrap().text;
        assert!(text.contains("承辦人會打給您"), "{text}");
        channels::speak(&kit.desk, &person, Language::Th).await.unwrap();
        collect::withdraw(&kit.desk, &person, case, kit.revision(case).await)
            .await
            .unwrap();
        kit.work().await;
        let text = twin.taken().pop().unwrap().text;
        assert!(text.contains("ถูกถอนแล้ว"), "{text}");
    })
    .await;
}
