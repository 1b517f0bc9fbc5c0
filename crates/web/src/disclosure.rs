//! Whom to tell of a weakness: `/.well-known/security.txt` (RFC 9116).

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use jiff::ToSpan as _;

use crate::App;

/// Where it is (RFC 9116 §3).
pub(crate) const HERE: &str = "/.well-known/security.txt";

/// Days from now until which the file may be relied on; less than a year is recommended (RFC 9116 §2.5.5).
const DAYS: i64 = 180;

/// `GET /.well-known/security.txt`. A city that names no contact is reached by its page of help.
pub(crate) async fn show(State(app): State<App>) -> Response {
    let portal = &app.desk.city.portal;
    let contact = app.site.security.clone().unwrap_or_else(|| format!("{portal}/help"));
    // by whole days, so that the file is the same all day
    let until = app.desk.now().checked_add((DAYS * 24).hours());
    let until = until.unwrap_or_else(|_| app.desk.now());
    let text = format!(
        "Contact: {contact}\nExpires: {}T00:00:00Z\nPreferred-Languages: zh-TW, en\nCanonical: {portal}{HERE}\n",
        civic::legal_day(until)
    );
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
