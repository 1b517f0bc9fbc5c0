//! What a path asks for, and the guard before it is put behind a base address: no traversal, no second meaning after decoding,
//! no parameter named twice.

use crate::directory::Endpoint;
use crate::ids::{MemberId, ServiceId, part};
use hyper::Uri;
use percent_encoding::percent_decode_str;
use std::collections::BTreeSet;

/// The metaservices a provider answers (PR-MREST).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meta {
    /// All services of the provider.
    ListMethods,
    /// Those the caller may use.
    AllowedMethods,
    /// The description of one service.
    GetOpenApi,
}

impl Meta {
    /// Of its service code.
    #[must_use]
    pub fn of(code: &str) -> Option<Meta> {
        match code {
            "listMethods" => Some(Meta::ListMethods),
            "allowedMethods" => Some(Meta::AllowedMethods),
            "getOpenAPI" => Some(Meta::GetOpenApi),
            _ => None,
        }
    }
}

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The service; a metaservice stands in its code.
    pub service: ServiceId,
    /// Whether it is a metaservice.
    pub meta: Option<Meta>,
    /// The path behind the service code as it was written: empty, or beginning with `/`.
    pub rest: String,
    /// Its parts, decoded.
    pub parts: Vec<String>,
    /// The query as it was written.
    pub query: Option<String>,
}

/// Why a path is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Too long.
    #[error("the address has more than {0} characters")]
    Long(usize),
    /// Not under the prefix, or without a service.
    #[error("the path must be /{0}/instance/class/member[/subsystem]/service")]
    Form(String),
    /// An identifier in it is refused.
    #[error("{0}")]
    Identifier(#[from] crate::ids::IdentifierError),
    /// A part that could mean another path to the provider's system.
    #[error(
        "the path holds a part that could lead elsewhere: empty, `.`, `..`, an encoded separator or a control character"
    )]
    Astray,
    /// A parameter twice.
    #[error("the query names the parameter `{0}` more than once, which this service does not take")]
    Repeated(String),
}

impl Target {
    /// Reads a path. `known` says whether a service exists, for a path may or may not name a subsystem.
    ///
    /// # Errors
    /// [`TargetError`]
    pub fn read(
        prefix: &str,
        uri: &Uri,
        longest: usize,
        known: impl Fn(&ServiceId) -> bool,
    ) -> Result<Target, TargetError> {
        let path = uri.path();
        if path.len() + uri.query().map_or(0, |query| query.len() + 1) > longest {
            return Err(TargetError::Long(longest));
        }
        let form = || TargetError::Form(prefix.to_owned());
        let inside = path
            .strip_prefix('/')
            .and_then(|path| path.strip_prefix(prefix))
            .and_then(|path| path.strip_prefix('/'))
            .ok_or_else(form)?;
        let parts: Vec<&str> = inside.split('/').collect();
        let service = |with_subsystem: bool| -> Result<ServiceId, TargetError> {
            let mut parts = parts.iter().enumerate().map(|(at, text)| part(text, at + 1));
            let mut next = || parts.next().ok_or_else(form)?.map_err(TargetError::from);
            Ok(ServiceId {
                provider: MemberId {
                    instance: next()?,
                    class: next()?,
                    member: next()?,
                    subsystem: with_subsystem.then(&mut next).transpose()?,
                },
                code: next()?,
            })
        };
        let is_known = |id: &ServiceId| known(id) || Meta::of(&id.code).is_some();
        let (id, taken) = match (service(true), service(false)) {
            (Ok(long), _) if is_known(&long) => (long, 5),
            (_, Ok(short)) if is_known(&short) => (short, 4),
            (Ok(long), _) => (long, 5),
            (_, Ok(short)) => (short, 4),
            (_, Err(error)) => return Err(error),
        };
        let meta = Meta::of(&id.code);
        let rest: Vec<&str> = parts.iter().skip(taken).copied().collect();
        let decoded = rest
            .iter()
            .enumerate()
            .map(|(at, text)| match (text.is_empty(), at + 1 == rest.len()) {
                // a slash at the end is part of some services' paths
                (true, true) => Ok(String::new()),
                _ => safe(text),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let rest = rest.iter().map(|part| format!("/{part}")).collect();
        Ok(Target {
            service: id,
            meta,
            rest,
            parts: decoded,
            query: uri.query().map(str::to_owned),
        })
    }

    /// Refuses a query that names a parameter twice: two readers could each see another one.
    ///
    /// # Errors
    /// [`TargetError::Repeated`]
    pub fn refuse_repeated(&self) -> Result<(), TargetError> {
        let mut seen = BTreeSet::new();
        for (name, _) in url::form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes()) {
            if !seen.insert(name.to_string()) {
                return Err(TargetError::Repeated(name.chars().take(40).collect()));
            }
        }
        Ok(())
    }

    /// The first value of a parameter.
    #[must_use]
    pub fn parameter(&self, wanted: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_deref()?.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    }
}

/// Most times a part may be decoded until nothing changes any more; what is encoded more often is refused.
const MOST_DECODINGS: usize = 8;

/// A part of a path that means one thing only, however often a careless reader decodes it.
fn safe(text: &str) -> Result<String, TargetError> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let encoded = byte == b'%';
        if encoded && !(0..2).all(|_| bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())) {
            return Err(TargetError::Astray);
        }
    }
    let mut now = text.to_owned();
    for _ in 0..MOST_DECODINGS {
        let next = percent_decode_str(&now)
            .decode_utf8()
            .map_err(|_| TargetError::Astray)?
            .into_owned();
        let before_parameters = next.split(';').next().unwrap_or_default();
        let wrong = next.is_empty()
            || matches!(before_parameters, "." | "..")
            || next.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'));
        if wrong {
            return Err(TargetError::Astray);
        }
        if next == now {
            return percent_decode_str(text)
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| TargetError::Astray);
        }
        now = next;
    }
    Err(TargetError::Astray)
}

impl Endpoint {
    /// Whether the pattern can be one.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        let Some(path) = self.path.strip_prefix('/') else {
            return false;
        };
        let parts: Vec<&str> = path.split('/').collect();
        let inner = parts.len().saturating_sub(1);
        !self.method.is_empty() && !parts.iter().take(inner).any(|part| *part == "**")
    }

    /// Whether a call is to this endpoint. A path without parts is `/`.
    #[must_use]
    pub fn matches(&self, method: &str, parts: &[String]) -> bool {
        if self.method != "*" && !self.method.eq_ignore_ascii_case(method) {
            return false;
        }
        let pattern: Vec<&str> = self.path.trim_start_matches('/').split('/').collect();
        let empty = [String::new()];
        let parts = if parts.is_empty() { &empty[..] } else { parts };
        for (at, wanted) in pattern.iter().enumerate() {
            match (*wanted, parts.get(at)) {
                ("**", _) => return true,
                ("*", Some(part)) if !part.is_empty() => {}
                (wanted, Some(part)) if wanted == part => {}
                _ => return false,
            }
        }
        pattern.len() == parts.len()
    }
}
