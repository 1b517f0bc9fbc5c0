//! The one place that knows how the road spells things: prefix, header names, error types.
//!
//! T-Road's interface is not public. The default is X-Road's REST message protocol r1 (PR-REST 1.0.4); what T-Road turns out to
//! do otherwise is a value here.

use crate::fault::folded;
use hyper::header::HeaderName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Spelling of error types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spelling {
    /// `Server.ServerProxy.AccessDenied`: the document, and X-Road before 7.8.
    #[default]
    Camel,
    /// `server.serverproxy.access_denied`: X-Road from 7.8 on.
    Snake,
}

/// A header's name in configuration.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(pub HeaderName);

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Name, String> {
        HeaderName::try_from(text.to_ascii_lowercase())
            .map(Name)
            .map_err(|_| format!("`{text}` is no name of a header"))
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0.as_str().to_owned()
    }
}

/// Names of the headers the road adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Headers {
    /// Who calls.
    pub client: Name,
    /// Message id.
    pub id: Name,
    /// The user behind a call.
    pub user_id: Name,
    /// The case or document that causes a call.
    pub issue: Name,
    /// The one gateway a call is for.
    pub security_server: Name,
    /// On whose behalf.
    pub represented_party: Name,
    /// The service called.
    pub service: Name,
    /// Id shared by request and answer in the logs.
    pub request_id: Name,
    /// The provider's hash of the request.
    pub request_hash: Name,
    /// Type of a fault of the road.
    pub error: Name,
    /// Signature over a message; ours.
    pub signature: Name,
    /// Key of a system of the own side; never leaves the gateway.
    pub key: Name,
}

impl Default for Headers {
    fn default() -> Headers {
        let name = |text| Name(HeaderName::from_static(text));
        Headers {
            client: name("x-road-client"),
            id: name("x-road-id"),
            user_id: name("x-road-userid"),
            issue: name("x-road-issue"),
            security_server: name("x-road-security-server"),
            represented_party: name("x-road-represented-party"),
            service: name("x-road-service"),
            request_id: name("x-road-request-id"),
            request_hash: name("x-road-request-hash"),
            error: name("x-road-error"),
            signature: name("x-road-signature"),
            key: name("x-gateway-key"),
        }
    }
}

/// How the road spells things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dialect {
    /// First part of every path, without slashes.
    pub prefix: String,
    /// Header names.
    pub headers: Headers,
    /// Spelling of error types this side writes; both are read.
    pub spelling: Spelling,
    /// Types that are called otherwise, from the document's type to the road's.
    pub error_types: BTreeMap<String, String>,
    /// HTTP statuses that are otherwise, from the document's type.
    pub error_statuses: BTreeMap<String, u16>,
}

impl Default for Dialect {
    fn default() -> Dialect {
        Dialect {
            prefix: "r1".to_owned(),
            headers: Headers::default(),
            spelling: Spelling::Camel,
            error_types: BTreeMap::new(),
            error_statuses: BTreeMap::new(),
        }
    }
}

impl Dialect {
    /// A type of the document as this road writes it.
    #[must_use]
    pub fn spell(&self, kind: &str) -> String {
        if let Some(other) = self.error_types.get(kind) {
            return other.clone();
        }
        match self.spelling {
            Spelling::Camel => kind.to_owned(),
            Spelling::Snake => snake(kind),
        }
    }

    /// A type of the road as the document writes it, where it is known to be called otherwise.
    #[must_use]
    pub fn unspell(&self, kind: &str) -> String {
        let found = self
            .error_types
            .iter()
            .find(|(_, theirs)| folded(theirs) == folded(kind));
        found.map_or_else(|| kind.to_owned(), |(ours, _)| ours.clone())
    }
}

/// `Server.ServerProxy.AccessDenied` as `server.serverproxy.access_denied`: only the kind, not the place, takes `_`.
fn snake(kind: &str) -> String {
    let places = ["Client", "Server", "ClientProxy", "ServerProxy"];
    let words = kind.split('.').map(|word| {
        if places.contains(&word) {
            return word.to_lowercase();
        }
        let mut text = String::new();
        for (at, letter) in word.chars().enumerate() {
            if letter.is_uppercase() && at > 0 {
                text.push('_');
            }
            text.extend(letter.to_lowercase());
        }
        text
    });
    words.collect::<Vec<_>>().join(".")
}
