//! The demonstration's stand-in for an authenticator app: who the staff are, with the code of now (RFC 6238).

use crate::html::{escape, page};
use crate::{Card, Terms};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use std::fmt::Write;
use std::sync::Arc;

struct Shared {
    cards: Vec<Card>,
    terms: Terms,
}

pub fn router(cards: Vec<Card>, terms: &Terms) -> Router {
    let shared = Shared {
        cards,
        terms: terms.clone(),
    };
    Router::new().route("/staff", get(show)).with_state(Arc::new(shared))
}

async fn show(State(shared): State<Arc<Shared>>) -> Response {
    let step = u64::try_from(shared.terms.now()).unwrap_or(0) / 30;
    let mut out = String::from(
        "<p>這一頁代替驗證器 App。代碼每 30 秒更換，用過的不能再用。重新整理可以看到新的代碼。</p>\
         <p lang=\"en\">This page stands in for an authenticator app. Reload it for the next code.</p>\
         <table><thead><tr><th scope=\"col\">角色 Role</th><th scope=\"col\">帳號 Account</th><th scope=\"col\">密碼 Password</th><th scope=\"col\">代碼 Code</th></tr></thead><tbody>",
    );
    for card in &shared.cards {
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&card.role),
            escape(&card.account),
            escape(&card.password),
            code(&card.secret, step).unwrap_or_default()
        );
    }
    out.push_str("</tbody></table>");
    page(StatusCode::OK, "示範驗證器 Demonstration codes", "示範的承辦人員", &out)
}

/// The six digits of a time step (RFC 4226, 5.3, over SHA-1).
fn code(secret: &[u8], step: u64) -> Option<String> {
    let key = PKey::hmac(secret).ok()?;
    let mac = Signer::new(MessageDigest::sha1(), &key)
        .ok()?
        .sign_oneshot_to_vec(&step.to_be_bytes())
        .ok()?;
    let at = usize::from(mac.last()? & 15);
    let four: [u8; 4] = mac.get(at..at + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_those_of_rfc_6238() {
        let secret = b"12345678901234567890";
        for (time, wanted) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000_u64, "353130"),
        ] {
            assert_eq!(super::code(secret, time / 30).as_deref(), Some(wanted));
        }
    }
}
