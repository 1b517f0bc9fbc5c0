//! The HTTP calls of the OpenID Connect library, made by the shared client: bounded and without redirects.

use crate::client::{BodyError, bounded_body};
use openidconnect::{HttpRequest, HttpResponse, http};

/// Most bytes of an answer of the issuer.
const LARGEST: usize = 1 << 20;

/// Why a call got no answer. The address is left out: it may carry a token.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The answer is larger than accepted.
    #[error("the issuer's answer is larger than {LARGEST} bytes")]
    TooLarge,
    /// No connection, no answer in time, or a broken one.
    #[error("{0}")]
    Failed(reqwest::Error),
    /// The answer can't be handed on.
    #[error("the issuer's answer can't be read")]
    Answer(#[from] http::Error),
}

/// Makes one call.
pub(super) async fn call(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, CallError> {
    let failed = |error: reqwest::Error| CallError::Failed(error.without_url());
    let (parts, body) = request.into_parts();
    let response = client
        .request(parts.method, parts.uri.to_string())
        .headers(parts.headers)
        .body(body)
        .send()
        .await
        .map_err(failed)?;
    let mut answer = http::Response::builder().status(response.status());
    for (name, value) in response.headers() {
        answer = answer.header(name, value);
    }
    let body = bounded_body(response, LARGEST).await.map_err(|error| match error {
        BodyError::TooLarge => CallError::TooLarge,
        BodyError::Broken(error) => failed(error),
    })?;
    Ok(answer.body(body)?)
}
