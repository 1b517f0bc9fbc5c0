//! Short messages against their twins.

use civic::MobileNumber;
use exchange::notify::line::{self, Line, UserId};
use exchange::notify::sms::{self, Gateway};
use exchange::notify::webpush::{self, Push, Pusher, Subscription, Urgency};
use exchange::notify::{Delivery, NotifyError, Why};
use jiff::Timestamp;
use peers::notices::{Config, Faults, Running, start};
use peers::push::Browser;
use ring::rand::SystemRandom;
use std::time::Duration;
use uuid::Uuid;

const LIN: &str = "U0123456789abcdef0123456789abcdef";

async fn twin() -> Running {
    let config = Config {
        account: ("city".to_owned(), "p&ss=word".to_owned()),
        line_token: "channel-token".to_owned(),
        line_secret: "channel-secret".to_owned(),
        webhook: None,
        port: 0,
    };
    start(config).await.unwrap()
}

fn now() -> Timestamp {
    Timestamp::now()
}

fn later(why: Why, seconds: u64) -> Delivery {
    Delivery::Later {
        after: Duration::from_secs(seconds),
        why,
    }
}

fn gateway(twin: &Running, more: &str) -> Gateway {
    let text = format!(
        "url = \"{}/sms/send\"\nsuccess = [\"statuscode=0\", \"statuscode=1\", \"statuscode=2\"]\nnever = [\"statuscode=v\"]\n{more}\n[client]\n\
         https_only = false\nanswer_seconds = 1\n",
        twin.address
    );
    Gateway::new(toml::from_str(&text).unwrap()).unwrap()
}

const FORM: &str = "body = \"username=city&password=p%26ss%3Dword&dstaddr={to}&smbody={text}&clientid={id}\"";

#[tokio::test]
async fn text_messages_go_through_gateways_of_several_kinds() {
    let twin = twin().await;
    let to = MobileNumber::parse("0912345678").unwrap();
    let text = "您的申請「老人津貼」已核定 & 款項=下週入帳\n示範市府 \"{to}\"";
    let json = "body = '{\"username\":\"city\",\"password\":\"p&ss=word\",\"dstaddr\":\"{to}\",\"smbody\":\"{text}\"}'\n\
                encoding = \"json\"\ncontent_type = \"application/json\"\nnumber = \"international\"";
    for (more, number) in [(FORM, "0912345678"), (json, "+886912345678")] {
        let sent = gateway(&twin, more).send(&to, text, "message-7", now()).await.unwrap();
        assert_eq!(sent, Delivery::Delivered, "{more}");
        let taken = twin.taken().pop().unwrap();
        assert_eq!(
            (taken.way, taken.to.as_str(), taken.text.as_str()),
            ("sms", number, text)
        );
    }
    let config = format!(
        "url = \"{}/sms/send?username=city&password=p%26ss%3Dword&dstaddr={{to}}&smbody={{text}}\"\nmethod = \"GET\"\n[client]\nhttps_only = false\n",
        twin.address
    );
    let by_query = Gateway::new(toml::from_str(&config).unwrap()).unwrap();
    assert_eq!(by_query.send(&to, text, "", now()).await.unwrap(), Delivery::Delivered);
    assert_eq!(twin.taken().pop().unwrap().text, text);
}

#[tokio::test]
async fn what_gateways_answer_is_told_apart() {
    let twin = twin().await;
    let to = MobileNumber::parse("0912345678").unwrap();
    let gateway_of = gateway(&twin, FORM);
    let with = async |faults: Faults| {
        twin.misbehave(faults);
        gateway_of.send(&to, "a", "7", now()).await.unwrap()
    };
    let said = |text: &str| Faults {
        gateway: Some(text.to_owned()),
        ..Faults::default()
    };
    assert_eq!(with(said("statuscode=v")).await, Delivery::Never { why: Why::Refused });
    assert_eq!(with(said("statuscode=*")).await, later(Why::Busy, 3600));
    let status = |status, retry_after: Option<&str>| Faults {
        status,
        retry_after: retry_after.map(str::to_owned),
        ..Faults::default()
    };
    for (faults, expected) in [
        (status(429, Some("120")), later(Why::TooMany, 120)),
        (status(503, None), later(Why::Busy, 300)),
        (status(500, Some("99999999")), later(Why::Busy, 86_400)),
        (status(401, None), later(Why::Credentials, 3600)),
        (status(404, None), later(Why::Credentials, 3600)),
        (status(400, None), Delivery::Never { why: Why::Refused }),
        (status(302, None), Delivery::Never { why: Why::Refused }),
        (
            Faults {
                silent: true,
                ..Faults::default()
            },
            later(Why::Unreachable, 300),
        ),
    ] {
        assert_eq!(with(faults.clone()).await, expected, "{faults:?}");
    }
    assert!(twin.taken().is_empty());
    for text in [String::new(), "字".repeat(501)] {
        assert!(matches!(
            gateway_of.send(&to, &text, "7", now()).await,
            Err(NotifyError::Message(_))
        ));
    }
    for config in [
        "url = \"https://sms.example/\"",
        "url = \"https://sms.example/{to}{text}\"\nmethod = \"PUT\"",
        "url = \"sms.example/{to}{text}\"",
        "url = \"http://sms.example/{to}{text}\"",
        "url = \"ftp://sms.example/{to}{text}\"",
        "url = \"https://{to}.example/{text}\"",
        "url = \"https://{text}/{to}\"",
    ] {
        assert!(
            Gateway::new(toml::from_str::<sms::Config>(config).unwrap()).is_err(),
            "{config}"
        );
    }
}

#[tokio::test]
async fn line_delivers_once_for_a_key() {
    let twin = twin().await;
    let account = |token: &str| {
        let text = format!(
            "endpoint = \"{}/v2/bot/message/push\"\ntoken = \"{token}\"\n[client]\nhttps_only = false\n",
            twin.address
        );
        Line::new(toml::from_str::<line::Config>(&text).unwrap()).unwrap()
    };
    let (account, stranger) = (account("channel-token"), account("another"));
    assert!(!format!("{account:?}").contains("channel-token"));
    let to = UserId::parse(LIN).unwrap();
    let key = Uuid::new_v4();
    for _ in 0..2 {
        assert_eq!(
            account.push(&to, "已核定", key, now()).await.unwrap(),
            Delivery::Delivered
        );
    }
    assert_eq!(twin.taken().len(), 1, "the second one is known by its key");
    assert_eq!(twin.taken()[0].text, "已核定");
    assert_eq!(
        stranger.push(&to, "a", key, now()).await.unwrap(),
        later(Why::Credentials, 3600)
    );
    for (status, retry_after, expected) in [
        (429, Some("60"), later(Why::TooMany, 60)),
        (500, None, later(Why::Busy, 300)),
        (400, None, Delivery::Never { why: Why::Refused }),
        (404, None, Delivery::Never { why: Why::Refused }),
    ] {
        twin.misbehave(Faults {
            status,
            retry_after: retry_after.map(str::to_owned),
            ..Faults::default()
        });
        assert_eq!(
            account.push(&to, "a", Uuid::new_v4(), now()).await.unwrap(),
            expected,
            "{status}"
        );
    }
    for wrong in [
        "",
        "U1",
        "C0123456789abcdef0123456789abcdef",
        "U0123456789abcdef0123456789abcdeg",
    ] {
        assert!(UserId::parse(wrong).is_err(), "{wrong}");
    }
    assert!(matches!(
        account.push(&to, &"字".repeat(5001), key, now()).await,
        Err(NotifyError::Message(_))
    ));
}

#[tokio::test]
async fn what_people_write_to_the_account_is_read_only_if_line_signed_it() {
    use exchange::notify::line::{Event, What};
    let twin = twin().await;
    let account = |secret: &str| {
        let text = format!("token = \"channel-token\"\nsecret = \"{secret}\"\n");
        Line::new(toml::from_str::<line::Config>(&text).unwrap()).unwrap()
    };
    let user = UserId::parse(LIN).unwrap();
    let (body, signature) = twin.told(LIN, Some("ABCD2345")).unwrap();
    let city = account("channel-secret");
    let what = What::Text("ABCD2345".to_owned());
    let user_wrote = Event {
        user: user.clone(),
        what,
    };
    assert!(!format!("{user_wrote:?}").contains("ABCD"));
    assert_eq!(city.events(&body, &signature).unwrap(), [user_wrote]);
    let (block, of_block) = twin.told(LIN, None).unwrap();
    let blocked = Event {
        user,
        what: What::Unfollow,
    };
    assert_eq!(city.events(&block, &of_block).unwrap(), [blocked]);
    let mut other = body.clone();
    other.push(b' ');
    for (account, body, signature) in [
        (&city, &other, signature.as_str()),
        (&city, &body, of_block.as_str()),
        (&city, &body, ""),
        (&city, &body, "%"),
        (&account("another"), &body, signature.as_str()),
        // without a secret nothing is believed, not even what is signed with an empty one
        (&account(""), &body, signature.as_str()),
    ] {
        assert!(matches!(account.events(body, signature), Err(NotifyError::Signature)));
    }
}

fn pusher(services: &str) -> Pusher {
    let text = format!(
        "key = '''{}'''\ncontact = \"mailto:city@demo.invalid\"\nservices = [{services}]\n[client]\nhttps_only = false\n",
        crate::support::wallet::key()
    );
    Pusher::new(toml::from_str::<webpush::Config>(&text).unwrap()).unwrap()
}

fn subscription((endpoint, p256dh, auth): (String, String, String)) -> Subscription {
    let keys = webpush::Keys { p256dh, auth };
    Subscription { endpoint, keys }
}

#[tokio::test]
async fn browsers_read_what_is_pushed_and_gone_ones_are_told() {
    let twin = twin().await;
    let pusher = pusher("\"127.0.0.1\"");
    let browser = subscription(twin.subscribe("lin").unwrap());
    let random = SystemRandom::new();
    let push = Push {
        content: "新訊息".as_bytes(),
        ttl: 3600,
        urgency: Urgency::Normal,
        topic: Some("case-7"),
    };
    assert_eq!(
        pusher.send(&browser, &push, &random, now()).await.unwrap(),
        Delivery::Delivered
    );
    assert_eq!(twin.taken()[0].text, "新訊息 [normal case-7]");
    let long = vec![b'a'; webpush::LARGEST];
    let longest = Push { content: &long, ..push };
    assert_eq!(
        pusher.send(&browser, &longest, &random, now()).await.unwrap(),
        Delivery::Delivered
    );
    let longer = vec![b'a'; webpush::LARGEST + 1];
    let too_long = Push {
        content: &longer,
        ..push
    };
    assert!(matches!(
        pusher.send(&browser, &too_long, &random, now()).await,
        Err(NotifyError::Message(_))
    ));
    let topic = Push {
        topic: Some("with blank"),
        ..push
    };
    assert!(matches!(
        pusher.send(&browser, &topic, &random, now()).await,
        Err(NotifyError::Message(_))
    ));
    let elsewhere = now() - jiff::SignedDuration::from_hours(24);
    assert_eq!(
        pusher.send(&browser, &push, &random, elsewhere).await.unwrap(),
        later(Why::Credentials, 3600),
        "a proof of yesterday"
    );
    for (status, expected) in [
        (413, Delivery::Never { why: Why::TooLong }),
        (404, Delivery::Never { why: Why::Gone }),
        (429, later(Why::TooMany, 300)),
        (502, later(Why::Busy, 300)),
    ] {
        twin.misbehave(Faults {
            status,
            ..Faults::default()
        });
        assert_eq!(pusher.send(&browser, &push, &random, now()).await.unwrap(), expected);
    }
    twin.misbehave(Faults::default());
    twin.unsubscribe("lin");
    assert!(pusher.send(&browser, &push, &random, now()).await.unwrap().is_gone());
    let other = subscription(twin.subscribe("lin").unwrap());
    let mixed = Subscription {
        keys: browser.keys,
        endpoint: other.endpoint,
    };
    assert_eq!(
        pusher.send(&mixed, &push, &random, now()).await.unwrap(),
        Delivery::Never { why: Why::Refused },
        "for another browser"
    );
}

#[tokio::test]
async fn the_city_calls_push_services_only() {
    let pusher = pusher("\"push.example\"");
    let (p256dh, auth) = Browser::new().unwrap().keys();
    let send = async |endpoint: &str, p256dh: &str, auth: &str| {
        let to = subscription((endpoint.to_owned(), p256dh.to_owned(), auth.to_owned()));
        let push = Push {
            content: b"a",
            ttl: 0,
            urgency: Urgency::High,
            topic: None,
        };
        pusher.send(&to, &push, &SystemRandom::new(), now()).await
    };
    for endpoint in [
        "http://127.0.0.1:1/",
        "https://push.example.evil/",
        "https://evilpush.example/",
        "https://user@push.example/",
        "file:///x",
        "x",
    ] {
        assert!(
            matches!(send(endpoint, &p256dh, &auth).await, Err(NotifyError::Receiver(_))),
            "{endpoint}"
        );
    }
    let known = "http://a.push.example/";
    for (key, auth) in [
        ("AAAA", auth.as_str()),
        (p256dh.as_str(), "AAAA"),
        ("%", &auth),
        (&"BA".repeat(43), &auth),
    ] {
        assert!(
            matches!(send(known, key, auth).await, Err(NotifyError::Receiver(_))),
            "{key}"
        );
    }
}

/// RFC 8291, appendix A: the twin reads the standard's own message.
#[test]
fn the_twin_reads_the_message_of_the_standard() {
    let decode = |text: &str| {
        let text = text.replace('-', "+").replace('_', "/");
        openssl::base64::decode_block(&format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4))).unwrap()
    };
    let browser = Browser::known(
        &decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"),
        &decode("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        &decode("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    .unwrap();
    let message = decode(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT\
         pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    );
    assert_eq!(
        browser.open(&message).unwrap(),
        b"When I grow up, I want to be a watermelon"
    );
    assert!(browser.open(&message[..40]).is_none());
}
