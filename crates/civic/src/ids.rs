//! Names of things the platform makes: one type for each, so that one can't be given for another.
//!
//! All are UUIDs of version 7 (RFC 9562 §5.7): they sort by the time they were made, which keeps indexes dense.

use crate::Clock;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// A UUID of version 7 made of a time and ten random bytes.
fn version_7(at: Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A name made of a time and ten random bytes.
            #[must_use]
            pub fn from_parts(at: Timestamp, random: [u8; 10]) -> $name {
                $name(version_7(at, random))
            }

            /// A new name at the clock's time.
            #[must_use]
            pub fn generate(clock: &dyn Clock) -> $name {
                let mut random = [0; 10];
                random.copy_from_slice(&Uuid::new_v4().as_bytes()[6..]);
                $name(version_7(clock.now(), random))
            }

            /// The name as kept in a table.
            #[must_use]
            pub fn from_uuid(uuid: Uuid) -> $name {
                $name(uuid)
            }

            /// The UUID.
            #[must_use]
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<$name, uuid::Error> {
                Uuid::parse_str(text).map($name)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> $name {
                $name(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }
    )*};
}

ids! {
    /// A person (民眾) known to the platform.
    PersonId;
    /// A member of the city's staff.
    StaffId;
    /// An application (申請案).
    ApplicationId;
    /// A piece of evidence (佐證) of an application.
    EvidenceId;
    /// What the rules said of an application at one time.
    DecisionId;
    /// An entry in the history of an application.
    EventId;
    /// A letter (公文書).
    LetterId;
    /// A stored file.
    FileId;
    /// A payment (撥款).
    PaymentId;
    /// A batch of payments.
    BatchId;
    /// A run that makes the payments of a month.
    RunId;
    /// A hold on the payments of a case (暫停給付).
    HoldId;
    /// A piece of work waiting in the outbox.
    OutboxId;
    /// A data key.
    KeyId;
    /// An invitation to a satisfaction survey (滿意度調查).
    SurveyId;
    /// A consent (同意).
    ConsentId;
    /// A transaction with the MyData platform.
    TransactionId;
    /// A card asked of a digital wallet or offered to it.
    WalletRequestId;
    /// A security event (資安事件).
    SecurityEventId;
    /// A message to a person.
    MessageId;
    /// A way a person chose to be told (通知管道).
    ChannelId;
    /// A message on its way on one channel.
    DeliveryId;
    /// An authorisation to act for a resident (授權).
    AuthorisationId;
    /// A notice to a person.
    NoticeId;
    /// A right to be paid for a span of months (核定給付).
    EntitlementId;
}
