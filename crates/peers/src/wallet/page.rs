//! The phone's page: cards in the wallet, what a link of the city asks or offers, and the counter of the other issuer.

use super::issuer::{CardFaults, NewCard};
use super::phone::{Phone, Showing};
use super::{Running, Shared};
use crate::html::{escape, page};
use axum::extract::{Form, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

const WHO: &str = "示範數位憑證皮夾 Demonstration wallet";
/// The card that the other issuer gives at its counter.
const DISABILITY: &str = "00000000_disability_card";
/// What may stand in it.
const DEGREES: [&str; 4] = ["輕度", "中度", "重度", "極重度"];
/// A year, and a minute for clocks that differ.
const GOOD: (i64, i64) = (-60, 365 * 86_400);

impl Running {
    /// Beginning of the address that opens the wallet's page with a request or an offer.
    #[must_use]
    pub fn link(&self) -> String {
        format!("{}/wallet", self.address)
    }
}

pub async fn show(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let Some(query) = query.filter(|query| !query.is_empty()) else {
        return page(StatusCode::OK, WHO, "我的憑證卡", &body(&shared, ""));
    };
    let link = format!("wallet:?{query}");
    if let Some(offer) = Phone::offer(&link) {
        return page(StatusCode::OK, WHO, "加入憑證", &offered(&link, &offer));
    }
    match shared.phone.asked(&link).await {
        Ok(asked) => page(StatusCode::OK, WHO, "出示憑證", &requested(&link, &asked)),
        Err(text) => wrong(&shared, &text),
    }
}

fn wrong(shared: &Shared, text: &str) -> Response {
    let note = format!("<p class=\"error\" role=\"alert\">{}</p>", escape(text));
    page(StatusCode::UNPROCESSABLE_ENTITY, WHO, "不能完成", &body(shared, &note))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn hidden(link: &str) -> String {
    format!("<input type=\"hidden\" name=\"link\" value=\"{}\">", escape(link))
}

fn offered(link: &str, offer: &Value) -> String {
    format!(
        "<p>{} 要把憑證「{}」放進您的皮夾。</p><form method=\"post\" action=\"/wallet\">{}\
         <p><label for=\"pin\">六位數字 PIN</label><br><input type=\"text\" id=\"pin\" name=\"pin\" maxlength=\"6\" inputmode=\"numeric\" autocomplete=\"off\"></p>\
         <button>加入皮夾</button></form>",
        escape(text(offer, "/credential_issuer")),
        escape(text(offer, "/credential_configuration_ids/0")),
        hidden(link),
    )
}

fn requested(link: &str, asked: &Value) -> String {
    let mut list = String::new();
    let cards = asked.pointer("/presentation_definition/input_descriptors");
    for card in cards.and_then(Value::as_array).into_iter().flatten() {
        let _ = write!(list, "<li><strong>{}</strong>", escape(text(card, "/name")));
        let fields = card.pointer("/constraints/fields").and_then(Value::as_array);
        for field in fields.into_iter().flatten() {
            if let Some((_, name)) = text(field, "/path/0").rsplit_once("credentialSubject.") {
                let _ = write!(list, "<br>{}", escape(name));
            }
        }
        list.push_str("</li>");
    }
    format!(
        "<p>{} 為了「{}」，請您出示：</p><ul>{list}</ul><form method=\"post\" action=\"/wallet\">{}\
         <button name=\"answer\" value=\"yes\">出示</button><button class=\"second\" name=\"answer\" value=\"no\">不出示</button></form>",
        escape(text(asked, "/client_metadata/client_name")),
        escape(text(asked, "/presentation_definition/purpose")),
        hidden(link),
    )
}

fn body(shared: &Shared, note: &str) -> String {
    let mut body = format!("{note}<ul>");
    for (kind, claims) in shared.phone.cards() {
        let _ = write!(body, "<li><strong>{}</strong>", escape(&kind));
        for (name, value) in claims {
            let _ = write!(body, "<br>{}：{}", escape(&name), escape(&value));
        }
        body.push_str("</li>");
    }
    body.push_str(
        "</ul><p>這裡代替手機上的皮夾。把市府網頁上的連結貼在下面：加入憑證的連結，或出示憑證的連結。</p>\
         <p lang=\"en\">This stands in for the wallet on the phone. Paste a link of the city's page.</p>\
         <form method=\"post\" action=\"/wallet\"><p><label for=\"link\">連結 Link</label><br><input type=\"text\" id=\"link\" name=\"link\" autocomplete=\"off\"></p>\
         <p><label for=\"pin\">六位數字（如果有） PIN, if there is one</label><br><input type=\"text\" id=\"pin\" name=\"pin\" maxlength=\"6\" autocomplete=\"off\"></p>\
         <button>繼續 Go on</button></form>",
    );
    if shared.config.population.is_some() {
        let options: String = DEGREES
            .iter()
            .map(|degree| format!("<option>{degree}</option>"))
            .collect();
        let _ = write!(
            body,
            "<h2>示範發證櫃檯</h2><p>領取身心障礙證明；出示時用最新的一張。</p>\
             <form method=\"post\" action=\"/wallet/take\"><p><label for=\"person\">統一編號 ID number</label><br>\
             <input type=\"text\" id=\"person\" name=\"person\" maxlength=\"10\" autocomplete=\"off\"></p>\
             <p><label for=\"degree\">障礙等級 Degree</label><br><select id=\"degree\" name=\"degree\">{options}</select></p>\
             <button class=\"second\">領取</button></form>",
        );
    }
    body
}

pub async fn act(State(shared): State<Arc<Shared>>, Form(form): Form<HashMap<String, String>>) -> Response {
    let get = |name: &str| form.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let link = get("link").unwrap_or_default();
    let done = if link.contains("credential_offer") {
        let taken = shared.phone.accept(link, get("pin")).await;
        taken.map(|()| "憑證已加入。請回到市府的網頁。".to_owned())
    } else {
        let showing = Showing {
            declined: get("answer") == Some("no"),
            ..Showing::default()
        };
        shared
            .phone
            .present(link, &showing)
            .await
            .and_then(|(status, _)| match status {
                200 if showing.declined => Ok("沒有出示。請回到市府的網頁。".to_owned()),
                200 => Ok("憑證已出示。請回到市府的網頁。".to_owned()),
                other => Err(format!("市府不接受這張憑證（{other}）。")),
            })
    };
    match done {
        Ok(text) => {
            let note = format!("<p>{}</p>", escape(&text));
            page(StatusCode::OK, WHO, "完成", &body(&shared, &note))
        }
        Err(text) => wrong(&shared, &text),
    }
}

/// The counter of the other issuer: a card for somebody of the demonstration city.
pub async fn take(State(shared): State<Arc<Shared>>, Form(form): Form<HashMap<String, String>>) -> Response {
    let person = form.get("person").map(|text| text.trim()).unwrap_or_default();
    let degree = form.get("degree").map(String::as_str).unwrap_or_default();
    let Some(card) = certificate(&shared, person, degree) else {
        return wrong(&shared, "示範城市裡沒有這個人，或沒有這個等級。");
    };
    let made = shared
        .issuer
        .make(&shared.phone, &card, &CardFaults::default(), shared.config.terms.now());
    match made {
        Some(made) => {
            shared.phone.put(made);
            page(StatusCode::OK, WHO, "完成", &body(&shared, "<p>憑證已加入。</p>"))
        }
        None => wrong(&shared, "憑證做不出來。"),
    }
}

/// The certificate of a person.
fn certificate(shared: &Shared, person: &str, degree: &str) -> Option<NewCard> {
    let known = shared.config.population.as_ref()?.find(person)?;
    DEGREES.contains(&degree).then(|| NewCard {
        credential_type: DISABILITY.to_owned(),
        claims: vec![
            ("name".to_owned(), known.name),
            ("id_number".to_owned(), person.to_owned()),
            ("degree".to_owned(), degree.to_owned()),
        ],
        // any entry will do: the counter revokes none
        index: 1000,
        times: GOOD,
    })
}
