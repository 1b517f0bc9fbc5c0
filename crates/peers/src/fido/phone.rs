//! The page that stands in for the phone, and the authority's own page of the redirect.

use super::Asked;
use super::calls::{App, sign};
use super::checksum::make;
use crate::html::{escape, page};
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use std::collections::HashMap;
use std::fmt::Write;
use uuid::Uuid;

const WHO: &str = "示範行動自然人憑證 Demonstration phone";

pub async fn show(State(shared): App) -> Response {
    let mut body = String::from(
        "<p>這裡代替手機上的行動自然人憑證 App。確認前請看清楚是誰在要求、要簽什麼。</p>\
         <p lang=\"en\">This stands in for the app on the phone.</p>",
    );
    let now = shared.terms.now();
    let asked = shared.asked();
    let waiting = asked
        .iter()
        .filter(|(_, asked)| asked.answer.is_none() && asked.until >= now && !asked.is_web);
    let mut count = 0;
    for (id, asked) in waiting {
        count += 1;
        let name = shared
            .population
            .find(&asked.id)
            .map(|account| account.name)
            .unwrap_or_default();
        let _ = write!(body, "<h2>{}</h2><p>{}</p>", escape(&name), escape(&asked.hint));
        for text in asked.texts.iter().filter(|text| !text.is_empty()) {
            let _ = write!(body, "<pre>{}</pre>", escape(text));
        }
        let _ = write!(
            body,
            "<form method=\"post\" action=\"/phone\"><input type=\"hidden\" name=\"ticket\" value=\"{}\">\
             <button name=\"answer\" value=\"yes\">確認 Confirm</button> <button class=\"second\" name=\"answer\" value=\"no\">拒絕 Decline</button></form>",
            escape(id)
        );
    }
    if count == 0 {
        body.push_str("<p>目前沒有要確認的事。請在市府網站上按下一步後，再重新整理這一頁。</p>");
    }
    page(StatusCode::OK, WHO, "手機上的確認", &body)
}

pub async fn answer(State(shared): App, Form(form): Form<HashMap<String, String>>) -> Response {
    let id = form.get("ticket").map(String::as_str).unwrap_or_default();
    let mut all = shared.asked();
    match all.get_mut(id).filter(|asked| asked.answer.is_none() && !asked.is_web) {
        Some(asked) => {
            asked.answer = Some(form.get("answer").is_some_and(|answer| answer == "yes"));
            Redirect::to("/phone").into_response()
        }
        None => page(
            StatusCode::NOT_FOUND,
            WHO,
            "找不到這次的要求",
            "<p>請回到市府網站重新開始。</p>",
        ),
    }
}

/// The browser arrives with the city's form; the person types the national id here.
pub async fn arrive(State(shared): App, Form(form): Form<HashMap<String, String>>) -> Response {
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let joined = ["transaction_id", "sp_service_id", "op_code", "hint", "sign_data"]
        .map(get)
        .concat();
    let is_known = make(&shared.key, &joined).is_ok_and(|made| made == get("sp_checksum"));
    if !is_known || get("sp_service_id") != shared.facts.sp_service_id {
        return page(
            StatusCode::BAD_REQUEST,
            WHO,
            "不認得的網站",
            "<p class=\"error\">這個網站沒有登記，或要求被改過。</p>",
        );
    }
    let session = Uuid::new_v4().to_string();
    let seconds: i64 = get("time_limit").parse().unwrap_or(60);
    let asked = Asked {
        transaction: get("transaction_id").to_owned(),
        id: String::new(),
        op_code: get("op_code").to_owned(),
        hint: get("hint").to_owned(),
        texts: vec![get("sign_data").to_owned()],
        sign_type: get("sign_type").to_owned(),
        hash: get("hash_algorithm").to_owned(),
        until: shared.terms.now() + seconds,
        answer: None,
        is_read: false,
        is_web: true,
    };
    let body = format!(
        "<p>{}</p><form method=\"post\" action=\"/fidoRedirect/confirm\"><input type=\"hidden\" name=\"session\" value=\"{session}\">\
         <p><label for=\"id\">統一編號 National id</label><br><input type=\"text\" id=\"id\" name=\"id_num\" maxlength=\"10\" autocomplete=\"off\"></p>\
         <button name=\"answer\" value=\"yes\">在手機上確認 Confirm</button> <button class=\"second\" name=\"answer\" value=\"no\">拒絕 Decline</button></form>",
        escape(&asked.hint)
    );
    shared.asked().insert(session, asked);
    page(StatusCode::OK, WHO, "您是哪一位？", &body)
}

/// Back to the city with the result, by a form the person sends on.
pub async fn confirm_web(State(shared): App, Form(form): Form<HashMap<String, String>>) -> Response {
    let get = |name: &str| {
        form.get(name)
            .map(|text| text.trim().to_uppercase())
            .unwrap_or_default()
    };
    let session = form.get("session").map(String::as_str).unwrap_or_default();
    let Some(mut asked) = shared.asked().remove(session).filter(|asked| asked.is_web) else {
        return page(
            StatusCode::NOT_FOUND,
            WHO,
            "找不到這次的要求",
            "<p>請回到市府網站重新開始。</p>",
        );
    };
    asked.id = get("id_num");
    let made = (get("answer") == "YES").then(|| sign(&shared, &asked)).flatten();
    let (code, signature, certificate) = match made {
        Some((mut signatures, certificate)) => ("0", signatures.pop().unwrap_or_default(), certificate),
        None => ("SP-API-WEB-01-APP_USER_CANCEL", String::new(), String::new()),
    };
    let joined = format!("{}{code}{}{signature}", asked.transaction, asked.id);
    let Ok(checksum) = make(&shared.key, &joined) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut body = format!(
        "<form method=\"post\" action=\"{}\">",
        escape(shared.callback_url.as_str())
    );
    for (name, value) in [
        ("transaction_id", asked.transaction.as_str()),
        ("error_code", code),
        ("id_num", asked.id.as_str()),
        ("signed_response", &signature),
        ("cert", &certificate),
        ("idp_checksum", &checksum),
    ] {
        let _ = write!(
            body,
            "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
            escape(value)
        );
    }
    body.push_str("<button>回到市府網站 Back to the city</button></form>");
    page(StatusCode::OK, WHO, "完成", &body)
}
