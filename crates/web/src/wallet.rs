//! What digital wallets (數位憑證皮夾) and who checks a card call: no session, no form token. Everything is found by what the caller
//! names, and every answer is the protocol's.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cases::wallet::card::{self, Answer};
use cases::wallet::show::{self, Answered};
use serde_json::Value;

use crate::{App, Problem};

/// Beginning of the addresses below which the city asks for cards.
pub const VERIFIER: &str = "/wallet/verifier";
/// Beginning of the addresses below which the city gives cards.
pub const ISSUER: &str = "/wallet/issuer";
/// Beginning of the addresses of status lists.
pub const LISTS: &str = "/wallet/lists";

/// The addresses for wallets.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/wallet/verifier/request/{request}", get(request))
        .route("/wallet/verifier/authorization-response", post(response))
        .route("/wallet/issuer/.well-known/openid-credential-issuer", get(describe))
        .route("/wallet/issuer/token", post(token))
        .route("/wallet/issuer/credential", post(credential))
        .route("/wallet/issuer/keys", get(keys))
        .route("/wallet/issuer/schema/{card}", get(schema))
        .route("/wallet/lists/{card}/{list}", get(list))
}

/// `GET /wallet/verifier/request/{request}`: the signed request, for a wallet that followed the link.
async fn request(State(app): State<App>, Path(request): Path<String>) -> Result<Response, Problem> {
    let object = show::request_object(&app.desk, &request).await?;
    let object = object.ok_or(Problem::NotFound)?;
    Ok(([(header::CONTENT_TYPE, "application/oauth-authz-req+jwt")], object).into_response())
}

/// `POST /wallet/verifier/authorization-response`: what the wallet shows. The browser learns of it by asking.
async fn response(State(app): State<App>, body: Bytes) -> Result<Response, Problem> {
    Ok(match show::answered(&app.desk, &body).await? {
        Answered::Taken | Answered::Noted => Json(Value::Object(serde_json::Map::new())).into_response(),
        Answered::Refused => Problem::Unusable.into_response(),
    })
}

/// `GET /wallet/issuer/.well-known/openid-credential-issuer`
async fn describe(State(app): State<App>) -> Result<Response, Problem> {
    found(card::metadata(&app.desk)?)
}

/// `GET /wallet/issuer/keys`
async fn keys(State(app): State<App>) -> Result<Response, Problem> {
    found(card::keys(&app.desk))
}

/// `GET /wallet/issuer/schema/{card}`
async fn schema(State(app): State<App>, Path(card): Path<String>) -> Result<Response, Problem> {
    found(card::schema(&app.desk, &card))
}

fn found(value: Option<Value>) -> Result<Response, Problem> {
    Ok(Json(value.ok_or(Problem::NotFound)?).into_response())
}

/// `POST /wallet/issuer/token`
async fn token(State(app): State<App>, body: Bytes) -> Result<Response, Problem> {
    Ok(answer(card::token(&app.desk, &body).await?))
}

/// `POST /wallet/issuer/credential`
async fn credential(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    Ok(answer(card::credential(&app.desk, authorization, &body).await?))
}

fn answer(answer: Answer) -> Response {
    match answer {
        Ok(body) => Json(body).into_response(),
        Err(refused) => {
            let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, Json(refused.body)).into_response()
        }
    }
}

/// `GET /wallet/lists/{card}/{list}`: a signed status list.
async fn list(State(app): State<App>, Path((card, list)): Path<(String, String)>) -> Result<Response, Problem> {
    let list = card::status_list(&app.desk, &card, &list).await?;
    let list = list.ok_or(Problem::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, "application/jwt"),
        (header::CACHE_CONTROL, "public, max-age=60"),
    ];
    Ok((headers, list).into_response())
}
