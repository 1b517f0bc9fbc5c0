//! The platform's call, as its headers tell it.

use super::Config;
use super::platform::Token;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Most characters of a parameter.
const LONGEST: usize = 256;

/// What the platform asks for.
pub struct Request {
    /// The citizen's token.
    pub token: Token,
    /// The platform's transaction (`transaction_uid`), the same on every repetition.
    pub transaction_uid: Uuid,
    /// The data set's own parameters that were sent.
    pub parameters: BTreeMap<String, String>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Request")
            .field("transaction_uid", &self.transaction_uid)
            .finish_non_exhaustive()
    }
}

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No `Authorization: Bearer` with a token of this platform (401).
    #[error("there is no token of the platform")]
    Token,
    /// No `transaction_uid`, or one that is no UUID (400); a proxy on the way may drop headers with underscores.
    #[error("there is no `transaction_uid`; let headers with underscores through every proxy on the way")]
    Transaction,
    /// A parameter that can't be read (400).
    #[error("the parameter `{0}` is too long or holds characters that can't be read")]
    Parameter(String),
}

pub(super) fn read<'a>(
    config: &Config,
    header: impl Fn(&str) -> Option<&'a str>,
    names: &[&str],
) -> Result<Request, RequestError> {
    let token = header("authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .and_then(|(_, token)| Token::parse(&config.token_prefix, token.trim()))
        .ok_or(RequestError::Token)?;
    let transaction_uid = header("transaction_uid")
        .and_then(|value| Uuid::try_parse(value.trim()).ok())
        .ok_or(RequestError::Transaction)?;
    let mut parameters = BTreeMap::new();
    for name in names {
        let Some(value) = header(name) else { continue };
        if value.len() > LONGEST || value.contains(char::is_control) {
            return Err(RequestError::Parameter((*name).to_owned()));
        }
        parameters.insert((*name).to_owned(), value.trim().to_owned());
    }
    Ok(Request {
        token,
        transaction_uid,
        parameters,
    })
}
