//! The way to the platform: the address with the data sets asked for and the encrypted national id.

use super::config::Config;
use super::crypto::ServiceKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use civic::NationalId;
use civic::ids::TransactionId;
use std::collections::BTreeSet;
use url::Url;

/// A transaction begun: where to send the browser. The caller keeps `tx_id`, `resources` and the time.
#[derive(Clone, PartialEq, Eq)]
pub struct Begin {
    /// Address for the browser. It holds the encrypted national id, so it is not for logs; `Debug` leaves it out.
    pub redirect: Url,
    /// The transaction, to find it again when the notification and the browser arrive.
    pub tx_id: TransactionId,
    /// The data sets asked for, in the order asked.
    pub resources: Vec<String>,
}

impl std::fmt::Debug for Begin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Begin")
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}

/// Why a request can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No data set was named.
    #[error("name at least one data set")]
    NoResource,
    /// A data set was named twice; the platform would answer 400.
    #[error("the data set `{0}` is named twice; name each once")]
    Twice(String),
    /// Not the form of a `resource_id`.
    #[error("`{0}` is not a resource id; it has letters, digits, `.`, `-` and `_` only")]
    Form(String),
    /// The return address is not the registered one; the platform would answer 404.
    #[error("the return address must be the registered one, with a query of its own at most")]
    ReturnUrl,
    /// The platform's address can't carry a path.
    #[error("the platform's address can't carry a path")]
    Platform,
}

/// Makes the address `{platform}/service/{client_id}/{resources}/{tx_id}?returnUrl=…&pid=…`.
pub(super) fn begin(
    config: &Config,
    key: &ServiceKey,
    tx_id: TransactionId,
    person: &NationalId,
    resources: &[String],
    return_url: &Url,
) -> Result<Begin, RequestError> {
    let mut redirect = address(config, &["service"], tx_id, resources, return_url)?;
    redirect
        .query_pairs_mut()
        .append_pair("pid", &key.seal(person.reveal()));
    Ok(Begin {
        redirect,
        tx_id,
        resources: resources.to_vec(),
    })
}

/// Makes the address of the consent page of flow B, `{platform}/service/spsignature/{client_id}/{resources}/{tx_id}?returnUrl=…`, for
/// a transaction whose signature was taken.
pub(super) fn consent(
    config: &Config,
    tx_id: TransactionId,
    resources: &[String],
    return_url: &Url,
) -> Result<Begin, RequestError> {
    Ok(Begin {
        redirect: address(config, &["service", "spsignature"], tx_id, resources, return_url)?,
        tx_id,
        resources: resources.to_vec(),
    })
}

fn address(
    config: &Config,
    path: &[&str],
    tx_id: TransactionId,
    resources: &[String],
    return_url: &Url,
) -> Result<Url, RequestError> {
    if resources.is_empty() {
        return Err(RequestError::NoResource);
    }
    let mut seen = BTreeSet::new();
    for resource in resources {
        if !is_id(resource) {
            return Err(RequestError::Form(resource.clone()));
        }
        if !seen.insert(resource) {
            return Err(RequestError::Twice(resource.clone()));
        }
    }
    let base = |url: &Url| {
        let mut url = url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.to_string().to_ascii_lowercase()
    };
    if base(return_url) != base(&config.return_url) {
        return Err(RequestError::ReturnUrl);
    }
    let (resources, tx_id) = (STANDARD.encode(resources.join(":")), tx_id.to_string());
    let path = [path, &[&config.client_id, &resources, &tx_id]].concat();
    let mut redirect = crate::client::below(&config.platform, &path).ok_or(RequestError::Platform)?;
    redirect
        .query_pairs_mut()
        .clear()
        .append_pair("returnUrl", return_url.as_str());
    Ok(redirect)
}

/// Whether a text has the form of a `client_id` or `resource_id`.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}
