//! What the gateway knows of the road, as plain values: members, interfaces, agreements, rights, certificates.
//!
//! The platform's database feeds it, or a TOML file does. It is exchanged as a whole at run time; what it switches off is off
//! with the next call.

use crate::ids::{MemberId, ServiceId};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Everything the gateway knows of the road.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Directory {
    /// After this instant nothing is exchanged any more until a newer directory arrives; without it, there is no such end.
    pub valid_until: Option<Timestamp>,
    /// The members.
    #[serde(rename = "member")]
    pub members: Vec<Member>,
    /// Interfaces offered by this side and used by it.
    #[serde(rename = "interface")]
    pub interfaces: Vec<Interface>,
    /// Approvals.
    #[serde(rename = "agreement")]
    pub agreements: Vec<Agreement>,
    /// Who may call what of ours.
    #[serde(rename = "right")]
    pub rights: Vec<Right>,
}

/// A member (機關).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its identifier, without a subsystem.
    pub id: MemberId,
    /// Its name.
    pub name: String,
    /// Codes of its subsystems.
    #[serde(default)]
    pub subsystems: Vec<String>,
    /// Its gateways, in the order they are tried.
    #[serde(default, rename = "gateway")]
    pub gateways: Vec<Site>,
    /// Certificates of its gateways for mutual TLS, PEM each.
    #[serde(default)]
    pub authentication: Vec<String>,
    /// Certificates it signs messages with, PEM each.
    #[serde(default)]
    pub signing: Vec<String>,
}

/// A gateway of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Code of the server, the last part of `X-Road-Security-Server`.
    pub code: String,
    /// `host:port`.
    pub address: String,
}

/// How much of an exchange the log keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Who, what, when, sizes, hashes and signatures; no content.
    #[default]
    Metadata,
    /// Content too, sealed.
    Full,
}

/// An interface (服務介面).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Who provides it, and its code.
    pub id: ServiceId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// The kill switch.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Where the provider's system answers, for an interface this side offers. A fixed `http` or `https` address without
    /// query; the rest of a call's path is put behind it.
    #[serde(default)]
    pub base: Option<url::Url>,
    /// Its endpoints.
    #[serde(default, rename = "endpoint")]
    pub endpoints: Vec<Endpoint>,
    /// Its OpenAPI 3 description, JSON or YAML.
    #[serde(default)]
    pub openapi: Option<String>,
    /// Whether a query may name a parameter twice.
    #[serde(default)]
    pub repeated_parameters: bool,
    /// Largest body of a request, bytes; the gateway's limit where smaller.
    #[serde(default)]
    pub request_bytes: Option<u64>,
    /// Largest body of an answer, bytes; the gateway's limit where smaller.
    #[serde(default)]
    pub answer_bytes: Option<u64>,
    /// What the log keeps.
    #[serde(default)]
    pub keep: Keep,
}

/// An endpoint: a method and a pattern of paths.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Method, or `*`.
    pub method: String,
    /// Path behind the service code. `*` stands for one part, `**` at the end for any number.
    pub path: String,
}

/// An approval (介接核准): who may use which interface, what for, how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Number of the approval document (核准文號); unique.
    pub number: String,
    /// The interface.
    pub service: ServiceId,
    /// Who may call: a subsystem, or a whole member.
    pub client: MemberId,
    /// Purpose (特定目的).
    pub purpose: String,
    /// Legal ground.
    pub legal_ground: String,
    /// Fields the approval speaks of.
    #[serde(default)]
    pub fields: Vec<String>,
    /// First day, in Asia/Taipei.
    pub from: Date,
    /// Last day, in Asia/Taipei.
    pub to: Date,
    /// Most calls a day; none means no limit.
    #[serde(default)]
    pub daily_quota: Option<u64>,
    /// Its switch.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// An access right a provider gives: to a client, for a service as a whole or for some endpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Right {
    /// The service.
    pub service: ServiceId,
    /// Who may call: a subsystem, or a whole member.
    pub client: MemberId,
    /// The endpoints; none means the whole service.
    #[serde(default, rename = "endpoint")]
    pub endpoints: Vec<Endpoint>,
}

fn yes() -> bool {
    true
}

/// Why a directory can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The text is not one.
    #[error("the directory can't be read: {0}")]
    Unreadable(String),
    /// Something names a member that isn't there.
    #[error("`{what}` names the member `{member}`, which the directory does not know; add it as [[member]]")]
    UnknownMember {
        /// What names it.
        what: String,
        /// The member.
        member: Box<MemberId>,
    },
    /// Something names an interface that isn't there.
    #[error("`{what}` names the interface `{service}`, which the directory does not know; add it as [[interface]]")]
    UnknownInterface {
        /// What names it.
        what: String,
        /// The interface.
        service: Box<ServiceId>,
    },
    /// The same thing twice.
    #[error("`{0}` stands in the directory twice")]
    Twice(String),
    /// A base address that calls could be led astray by.
    #[error("the base of `{0}` must be an http or https address with a host and no user, query or fragment")]
    Base(Box<ServiceId>),
    /// A pattern that means nothing.
    #[error("the endpoint `{method} {path}` is no pattern: a path begins with `/`, and `**` stands at its end only")]
    Pattern {
        /// Method.
        method: String,
        /// Path.
        path: String,
    },
    /// Content would be kept without a seal.
    #[error("`{0}` keeps full content, but the gateway has no seal; give it one or keep metadata only")]
    NoSeal(Box<ServiceId>),
    /// A certificate that is none.
    #[error("a certificate of `{0}` can't be read")]
    Certificate(Box<MemberId>),
}

impl Directory {
    /// Reads a directory from TOML.
    ///
    /// # Errors
    /// [`DirectoryError::Unreadable`]
    pub fn from_toml(text: &str) -> Result<Directory, DirectoryError> {
        toml::from_str(text).map_err(|error| DirectoryError::Unreadable(error.to_string()))
    }
}
