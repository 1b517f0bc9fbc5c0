//! Identifiers of members and services, and their form in a path or header (PR-REST, "Identifiers").
//!
//! Assumption: agencies are named as X-Road names members, with the agency's OID or code as member code.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What stays as it is in a part of an identifier; everything else is percent-encoded on its own.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'+')
    .remove(b',')
    .remove(b'-')
    .remove(b'.')
    .remove(b'=')
    .remove(b'_');

/// Longest part of an identifier, in characters.
const LONGEST_PART: usize = 255;

/// Why an identifier is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Too few or too many parts.
    #[error("an identifier of this kind has {wanted} parts separated by `/`, this one has {found}")]
    Parts {
        /// How many there should be.
        wanted: &'static str,
        /// How many there are.
        found: usize,
    },
    /// A part is empty, too long or holds a character that identifiers can't have.
    #[error("part {0} of the identifier is empty, too long or holds a character that identifiers can't have")]
    Part(usize),
}

/// A member or a subsystem of it: `instance/class/member[/subsystem]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemberId {
    /// The road's instance, for example `TW`.
    pub instance: String,
    /// The class of member, for example `GOV`.
    pub class: String,
    /// The agency's code.
    pub member: String,
    /// A system of the agency.
    pub subsystem: Option<String>,
}

/// A service: the member or subsystem that provides it, and its code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceId {
    /// Who provides it.
    pub provider: MemberId,
    /// Its code there.
    pub code: String,
}

/// Decodes one part and refuses what an identifier can't hold: nothing, separators, control characters.
pub(crate) fn part(text: &str, place: usize) -> Result<String, IdentifierError> {
    let decoded = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| IdentifierError::Part(place))?;
    let allowed = |c: char| c.is_alphanumeric() || "'()+,-.=?_".contains(c);
    let dots = decoded.chars().all(|c| c == '.');
    if decoded.is_empty() || dots || decoded.chars().count() > LONGEST_PART || !decoded.chars().all(allowed) {
        return Err(IdentifierError::Part(place));
    }
    Ok(decoded.into_owned())
}

impl MemberId {
    /// The member without its subsystem: the holder of certificates.
    #[must_use]
    pub fn owner(&self) -> MemberId {
        MemberId {
            subsystem: None,
            ..self.clone()
        }
    }

    /// Whether both are, or belong to, the same member.
    #[must_use]
    pub fn same_owner(&self, other: &MemberId) -> bool {
        self.instance == other.instance && self.class == other.class && self.member == other.member
    }

    /// Whether this is `wanted`, or the whole member that `wanted` is a subsystem of.
    #[must_use]
    pub fn covers(&self, wanted: &MemberId) -> bool {
        self == wanted || (self.subsystem.is_none() && self.same_owner(wanted))
    }
}

impl FromStr for MemberId {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<MemberId, IdentifierError> {
        let parts: Vec<&str> = text.split('/').collect();
        let (instance, class, member, subsystem) = match parts.as_slice() {
            [instance, class, member] => (instance, class, member, None),
            [instance, class, member, subsystem] => (instance, class, member, Some(subsystem)),
            _ => {
                return Err(IdentifierError::Parts {
                    wanted: "3 or 4",
                    found: parts.len(),
                });
            }
        };
        Ok(MemberId {
            instance: part(instance, 1)?,
            class: part(class, 2)?,
            member: part(member, 3)?,
            subsystem: subsystem.map(|text| part(text, 4)).transpose()?,
        })
    }
}

impl FromStr for ServiceId {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<ServiceId, IdentifierError> {
        let wrong = IdentifierError::Parts {
            wanted: "4 or 5",
            found: text.split('/').count(),
        };
        let (provider, code) = text.rsplit_once('/').ok_or_else(|| wrong.clone())?;
        let place = provider.split('/').count();
        if !(3..=4).contains(&place) {
            return Err(wrong);
        }
        Ok(ServiceId {
            provider: provider.parse()?,
            code: part(code, place + 1)?,
        })
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}",
            utf8_percent_encode(&self.instance, ENCODED),
            utf8_percent_encode(&self.class, ENCODED),
            utf8_percent_encode(&self.member, ENCODED)
        )?;
        match &self.subsystem {
            Some(subsystem) => write!(f, "/{}", utf8_percent_encode(subsystem, ENCODED)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, utf8_percent_encode(&self.code, ENCODED))
    }
}

impl TryFrom<String> for MemberId {
    type Error = IdentifierError;

    fn try_from(text: String) -> Result<MemberId, IdentifierError> {
        text.parse()
    }
}

impl From<MemberId> for String {
    fn from(id: MemberId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for ServiceId {
    type Error = IdentifierError;

    fn try_from(text: String) -> Result<ServiceId, IdentifierError> {
        text.parse()
    }
}

impl From<ServiceId> for String {
    fn from(id: ServiceId) -> String {
        id.to_string()
    }
}
