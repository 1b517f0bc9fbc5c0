//! The page of channels, the webhook of LINE, and the administrator's page of messages, against the twin of the outside parties.

use axum::http::Method;
use cases::channels::Ways;
use cases::{Desk, Role};
use exchange::notify::{line, sms, webpush};
use peers::notices::{Config, Faults, Running, start};
use serde_json::json;

use crate::kit::Kit;
use crate::town::{Town, site};

const HERE: &str = "/my-data/channels";

async fn town() -> (Town, Running) {
    let twin = start(Config {
        account: ("city".to_owned(), "password".to_owned()),
        line_token: "channel-token".to_owned(),
        line_secret: "channel-secret".to_owned(),
        webhook: None,
        port: 0,
    })
    .await
    .unwrap();
    let client = json!({ "https_only": false, "answer_seconds": 5 });
    let address = &twin.address;
    let sms: sms::Config = serde_json::from_value(json!({
        "url": format!("{address}/sms/send"), "client": client,
        "body": "username=city&password=password&dstaddr={to}&smbody={text}&clientid={id}",
    }))
    .unwrap();
    let line: line::Config = serde_json::from_value(json!({
        "endpoint": format!("{address}/v2/bot/message/push"), "token": "channel-token",
        "secret": "channel-secret", "friend": "https://line.me/R/ti/p/@city", "client": client,
    }))
    .unwrap();
    let push: webpush::Config = serde_json::from_value(json!({
        "key": peers::push::key().unwrap(), "contact": "mailto:city@demo.invalid", "services": ["127.0.0.1"], "client": client,
    }))
    .unwrap();
    let ways = Ways {
        sms: Some(sms::Gateway::new(sms).unwrap()),
        line: Some(line::Line::new(line).unwrap()),
        push: Some(webpush::Pusher::new(push).unwrap()),
    };
    let kit = Kit::new(None).await.changed(|desk: &mut Desk| desk.ways = ways);
    (Town::on(kit, site()).await, twin)
}

fn code(twin: &Running) -> String {
    let text = twin.taken().pop().unwrap().text;
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    words.find(|word| word.len() == 6).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_confirmed_and_ended_and_what_was_typed_is_kept() {
    let (town, twin) = town().await;
    let (_, mut me) = town.resident(1).await;
    me.get("/my-data").await.is(200).has("選擇要用什麼方式收到通知");
    me.get(HERE)
        .await
        .is(200)
        .has("手機號碼")
        .has("連結 LINE")
        .lacks("使用中")
        .lacks("電子郵件地址");
    let page = me.post(&format!("{HERE}/sms"), &[("sms", "12-<b>")]).await;
    page.is(422).has("請輸入 09 開頭的十碼手機號碼").has("12-&#60;b&#62;");
    let page = me.post(&format!("{HERE}/sms"), &[("sms", "0912-345-678")]).await;
    let page = me.follow(&page).await;
    page.has("確認碼傳出去了")
        .has("0912***678")
        .lacks("0912345678")
        .has("等待確認");
    let id = page.between(&format!("{HERE}/"), "/confirm");
    town.kit.work().await;
    let wrong = me.post(&format!("{HERE}/{id}/confirm"), &[("code-sms", "12")]).await;
    wrong.is(422).has("確認碼不對");
    let right = me
        .post(&format!("{HERE}/{id}/confirm"), &[("code-sms", &code(&twin))])
        .await;
    me.follow(&right).await.has("設定好了").has("使用中").has("通知的語言");
    // nobody else ends it, and nobody learns that it is there
    let (_, mut other) = town.resident(2).await;
    other.get(HERE).await.is(200).lacks("0912***678");
    other.post(&format!("{HERE}/{id}/withdraw"), &[]).await.is(404);
    other
        .post(&format!("{HERE}/{id}/confirm"), &[("code-sms", "1")])
        .await
        .is(404);
    let spoken = me.post(&format!("{HERE}/language"), &[("language", "vi")]).await;
    me.follow(&spoken).await.has("語言改好了");
    me.post(&format!("{HERE}/language"), &[("language", "xx")])
        .await
        .is(422);
    me.post(&format!("{HERE}/pigeon"), &[]).await.is(404);
    let ended = me.post(&format!("{HERE}/{id}/withdraw"), &[]).await;
    me.follow(&ended).await.has("已經停止").lacks("使用中");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_account_is_linked_by_a_call_that_line_signed() {
    let (town, twin) = town().await;
    let (_, mut me) = town.resident(1).await;
    let page = me.post(&format!("{HERE}/line"), &[]).await;
    let page = me.follow(&page).await;
    page.has("https://line.me/R/ti/p/@city");
    let code = page.between("id=\"line-code\">", "</code>");
    let (body, signature) = twin.told("U0123456789abcdef0123456789abcdef", Some(&code)).unwrap();
    let mut line = town.browser();
    line.headers.push(("x-line-signature", "AAAA".to_owned()));
    line.send(Method::POST, "/line/webhook", Some("application/json"), body.clone())
        .await
        .is(403);
    me.get(HERE).await.lacks("使用中");
    line.headers = vec![("x-line-signature", signature)];
    line.send(Method::POST, "/line/webhook", Some("application/json"), body)
        .await
        .is(200);
    me.get(HERE).await.has("使用中");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_subscribes_with_what_its_push_service_gave() {
    let (town, twin) = town().await;
    let (_, mut me) = town.resident(1).await;
    let worker = me.get("/push-worker.js").await;
    worker.is(200).has("notificationclick");
    assert_eq!(worker.headers["cache-control"], "no-cache");
    me.get(HERE)
        .await
        .has("data-key=\"")
        .has("channels.js")
        .has("這個瀏覽器不能收推播");
    let bad = me
        .post(
            &format!("{HERE}/push"),
            &[("subscription", "{\"endpoint\":\"https://evil.example/\"}")],
        )
        .await;
    bad.is(422).has("推播位址不能用");
    let (endpoint, p256dh, auth) = twin.subscribe("phone").unwrap();
    let given =
        json!({ "endpoint": endpoint, "expirationTime": null, "keys": { "p256dh": p256dh, "auth": auth } }).to_string();
    let page = me.post(&format!("{HERE}/push"), &[("subscription", &given)]).await;
    me.follow(&page).await.has("使用中").lacks(&p256dh);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_sees_what_is_stuck_and_sends_it_again_or_gives_it_up() {
    let (town, twin) = town().await;
    let (person, mut me) = town.resident(1).await;
    me.post(&format!("{HERE}/sms"), &[("sms", "0912345678")]).await;
    town.kit.work().await;
    let page = me.get(HERE).await;
    let id = page.between(&format!("{HERE}/"), "/confirm");
    me.post(&format!("{HERE}/{id}/confirm"), &[("code-sms", &code(&twin))])
        .await
        .is(303);
    twin.misbehave(Faults {
        gateway: Some("statuscode=1".to_owned()),
        status: 400,
        ..Faults::default()
    });
    let case = town.kit.submitted(&person).await;
    town.kit.work().await;
    let number = town.kit.row(case).await.number.unwrap();
    let (_, mut admin) = town.on_duty("root", Role::Administrator).await;
    let page = admin.get("/office/messages").await;
    page.is(200)
        .has(&number)
        .has("收件通知")
        .has("對方拒收")
        .lacks("0912345678")
        .lacks("林阿梅");
    let stuck = page.between("/office/messages/", "/again");
    let no_reason = admin
        .post(&format!("/office/messages/{stuck}/give-up"), &[("reason", " ")])
        .await;
    no_reason.is(422).has("請寫原因");
    twin.misbehave(Faults::default());
    let page = admin.post(&format!("/office/messages/{stuck}/again"), &[]).await;
    admin.follow(&page).await.has("已經排入再送").has("沒有卡住的訊息");
    admin
        .post(&format!("/office/messages/{stuck}/again"), &[])
        .await
        .is(409);
    admin
        .post(&format!("/office/messages/{stuck}/shout"), &[])
        .await
        .is(404);
    town.kit.work().await;
    assert!(twin.taken().pop().unwrap().text.contains(&number));
    let (_, mut officer) = town.on_duty("officer", Role::Officer).await;
    officer.get("/office/messages").await.is(403);
    let page = officer.get(&format!("/office/cases/{case}")).await;
    page.is(200).has("通知的遞送情形").has("已送達").has("簡訊");
}
