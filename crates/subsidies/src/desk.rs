//! What the verbs work with, and who uses them.

use std::sync::Arc;

use civic::Clock;
use civic::ids::StaffId;
use grants::Programme;
use jiff::Timestamp;
use store::Store;
use store::access::Actor;

use crate::SubsidyError;

/// The store, the programmes and the time.
#[derive(Clone)]
pub struct Desk {
    /// The operational store.
    pub store: Store,
    /// The programmes there are.
    pub programmes: Vec<Arc<Programme>>,
    /// Chinese name of the city whose services the platform carries: its plan's indicators may be counted by the platform.
    pub city: String,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Desk {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The programme of this folder name.
    ///
    /// # Errors
    /// [`SubsidyError::NotFound`].
    pub fn programme(&self, id: &str) -> Result<&Arc<Programme>, SubsidyError> {
        let mut programmes = self.programmes.iter();
        programmes
            .find(|programme| programme.id == id)
            .ok_or(SubsidyError::NotFound("programme"))
    }
}

/// A member of staff of a government, of the panel or of the ministry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Identifier.
    pub id: StaffId,
    /// Role, as the access policies know it: `grant_writer`, `grant_reviewer`, `grant_officer`.
    pub role: String,
    /// Id of the government, or Chinese name of the ministry.
    pub agency: String,
}

impl Member {
    pub(crate) fn actor(&self) -> Actor<'_> {
        Actor::Staff {
            id: self.id.uuid(),
            role: &self.role,
            agency: &self.agency,
        }
    }
}
