//! What goes wrong on the road, and how it is told: `{type, message, detail}` with the header that says it came from the road
//! and not from the provider's application (PR-REST, "Error messages").

use crate::dialect::Dialect;
use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where on the road a fault arose; the first words of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The caller's message (`Client.`).
    Client,
    /// The gateway on the caller's side (`Server.ClientProxy.`).
    ClientProxy,
    /// The gateway on the provider's side (`Server.ServerProxy.`).
    ServerProxy,
}

impl Place {
    /// The words before the kind.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Place::Client => "Client",
            Place::ClientProxy => "Server.ClientProxy",
            Place::ServerProxy => "Server.ServerProxy",
        }
    }
}

/// What went wrong; the last word of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The message breaks a rule of the protocol.
    BadRequest,
    /// The caller's system did not show a known key.
    AuthenticationFailed,
    /// No such member.
    UnknownMember,
    /// No such service.
    UnknownService,
    /// No agreement in force, or no right.
    AccessDenied,
    /// Switched off.
    ServiceDisabled,
    /// The day's number of calls is used up.
    QuotaExceeded,
    /// The other end can't be reached, or broke off.
    NetworkError,
    /// The other end took too long.
    Timeout,
    /// A certificate is missing, out of date, revoked, for another purpose or another member's.
    SslAuthenticationFailed,
    /// The signature is missing or wrong.
    InvalidSignature,
    /// The other end's hash of the request is not ours.
    InvalidHash,
    /// Signed too long ago, or in the future.
    ClockSkew,
    /// The message was here before.
    Replayed,
    /// A body beyond its limit.
    BodyTooLarge,
    /// The directory is past its date.
    OutdatedGlobalConf,
    /// The message log can't be written.
    LoggingFailed,
    /// The log has had no timestamp for too long.
    TimestamperFailed,
    /// The provider's system gave no usable answer.
    ServiceFailed,
    /// Too much at once.
    Overloaded,
    /// Something inside the gateway.
    InternalError,
}

impl Kind {
    /// Its word as the protocol's document spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::BadRequest => "BadRequest",
            Kind::AuthenticationFailed => "AuthenticationFailed",
            Kind::UnknownMember => "UnknownMember",
            Kind::UnknownService => "UnknownService",
            Kind::AccessDenied => "AccessDenied",
            Kind::ServiceDisabled => "ServiceDisabled",
            Kind::QuotaExceeded => "QuotaExceeded",
            Kind::NetworkError => "NetworkError",
            Kind::Timeout => "NetworkError.Timeout",
            Kind::SslAuthenticationFailed => "SslAuthenticationFailed",
            Kind::InvalidSignature => "InvalidSignatureValue",
            Kind::InvalidHash => "InvalidHash",
            Kind::ClockSkew => "InvalidSignatureValue.ClockSkew",
            Kind::Replayed => "Replayed",
            Kind::BodyTooLarge => "BodyTooLarge",
            Kind::OutdatedGlobalConf => "OutdatedGlobalConf",
            Kind::LoggingFailed => "LoggingFailed",
            Kind::TimestamperFailed => "LoggingFailed.TimestamperFailed",
            Kind::ServiceFailed => "ServiceFailed",
            Kind::Overloaded => "Overloaded",
            Kind::InternalError => "InternalError",
        }
    }
}

/// A fault of the road. Its texts hold no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Type in the document's spelling, for example `Server.ServerProxy.AccessDenied`.
    pub kind: String,
    /// What went wrong, in words.
    pub message: String,
    /// A unique id for support.
    pub detail: String,
    /// HTTP status.
    pub status: StatusCode,
    /// Whether it came in an answer from the other gateway; otherwise it arose here.
    pub remote: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.kind, self.message, self.detail)
    }
}

impl std::error::Error for Fault {}

/// The body of an error.
#[derive(Serialize, Deserialize)]
struct ErrorBody {
    #[serde(rename = "type")]
    kind: String,
    message: String,
    #[serde(default)]
    detail: String,
}

impl Fault {
    /// A fault that arose here.
    #[must_use]
    pub fn new(place: Place, kind: Kind, message: impl Into<String>) -> Fault {
        let status = match kind {
            Kind::BadRequest | Kind::BodyTooLarge => StatusCode::BAD_REQUEST,
            Kind::AuthenticationFailed => StatusCode::UNAUTHORIZED,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Fault {
            kind: format!("{}.{}", place.prefix(), kind.word()),
            message: message.into(),
            detail: uuid::Uuid::new_v4().to_string(),
            status,
            remote: false,
        }
    }

    /// A malformed message.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Fault {
        Fault::new(Place::Client, Kind::BadRequest, message)
    }

    /// Whether this is of the place and kind, in whichever spelling it came.
    #[must_use]
    pub fn is(&self, place: Place, kind: Kind) -> bool {
        same_type(&self.kind, &format!("{}.{}", place.prefix(), kind.word()))
    }

    /// Whether the fault is one of the caller's own side: its message, its gateway, its agreements. What came from the other
    /// gateway, and what happened on the way there, is the road's.
    #[must_use]
    pub fn is_own(&self) -> bool {
        if self.remote {
            return same_type(&self.kind, "Client") || folded(&self.kind).starts_with("client.");
        }
        ![
            Kind::NetworkError,
            Kind::Timeout,
            Kind::SslAuthenticationFailed,
            Kind::InvalidSignature,
            Kind::InvalidHash,
        ]
        .iter()
        .chain(&[Kind::ClockSkew, Kind::ServiceFailed])
        .any(|kind| self.is(Place::ClientProxy, *kind) || self.is(Place::ServerProxy, *kind))
    }

    /// Header value and body for an `Accept`: JSON, or XML where only that is wanted.
    #[must_use]
    pub fn body(&self, dialect: &Dialect, accept: Option<&str>) -> (String, &'static str, Vec<u8>) {
        let kind = dialect.spell(&self.kind);
        let accept = accept.unwrap_or_default();
        let xml = (accept.contains("/xml") || accept.contains("+xml")) && !accept.contains("json");
        if xml {
            let text = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error><type>{}</type><message>{}</message><detail>{}</detail></error>",
                escaped(&kind),
                escaped(&self.message),
                escaped(&self.detail)
            );
            return (kind, "application/xml", text.into_bytes());
        }
        let body = ErrorBody {
            kind: kind.clone(),
            message: self.message.clone(),
            detail: self.detail.clone(),
        };
        (kind, "application/json", serde_json::to_vec(&body).unwrap_or_default())
    }

    /// Reads the fault an answer brought: the header says that there is one, the body says more where it can be read.
    #[must_use]
    pub fn read(dialect: &Dialect, header: &str, status: StatusCode, body: &[u8]) -> Fault {
        let read: Option<ErrorBody> = serde_json::from_slice(body).ok();
        let (message, detail) = read.map_or((String::new(), String::new()), |read| (read.message, read.detail));
        let short = |text: String| text.chars().filter(|c| !c.is_control()).take(500).collect();
        Fault {
            kind: short(dialect.unspell(header)),
            message: short(message),
            detail: short(detail),
            status,
            remote: true,
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Lower case without `_`: the two spellings of a type become one.
#[must_use]
pub fn folded(kind: &str) -> String {
    kind.chars()
        .filter(|c| *c != '_')
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether two types are the same in whichever spelling.
#[must_use]
pub fn same_type(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}
