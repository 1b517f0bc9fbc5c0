//! Access (存取控制): may this actor do this to this data for this purpose. Answered by Cedar policies, deny by default.
//!
//! The answer is a [`Grant`], which the opening of sealed data demands; without one nothing opens.

mod policies;
mod question;

pub use policies::Access;

use civic::Purpose;
use uuid::Uuid;

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor<'a> {
    /// The platform's own work.
    System,
    /// A resident.
    Resident(Uuid),
    /// Somebody who acts for a resident, under an authorisation (數位代理人).
    Agent(Acting<'a>),
    /// A member of staff.
    Staff {
        /// Identifier.
        id: Uuid,
        /// Role, such as `officer`.
        role: &'a str,
        /// Office.
        agency: &'a str,
    },
}

/// What the authorisation says under which an agent acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acting<'a> {
    /// The authorisation.
    pub id: Uuid,
    /// For whom.
    pub principal: Uuid,
    /// Folder names of the services it is for.
    pub services: &'a [String],
    /// What may be done and seen.
    pub acts: &'a [String],
    /// Whether it is in force at this moment.
    pub in_force: bool,
}

/// What it is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource<'a> {
    /// An application.
    Application {
        /// Identifier.
        id: Uuid,
        /// Whose it is; nobody's after disposal.
        owner: Option<Uuid>,
        /// Office that decides it.
        agency: &'a str,
        /// Where it stands.
        state: &'a str,
    },
    /// An application as an agent meets it.
    Entrusted {
        /// Identifier.
        id: Uuid,
        /// Whose it is; nobody's after disposal.
        owner: Option<Uuid>,
        /// Office that decides it.
        agency: &'a str,
        /// Where it stands.
        state: &'a str,
        /// Folder name of its service.
        service: &'a str,
        /// The authorisation under which it was opened, if it was.
        opened_under: Option<Uuid>,
    },
    /// An authorisation itself.
    Authorisation {
        /// Identifier.
        id: Uuid,
        /// Who gives it; nobody's after disposal.
        principal: Option<Uuid>,
        /// The person it is given to.
        person: Option<Uuid>,
        /// The member of staff it is given to, themself or through their organisation.
        staff: Option<Uuid>,
    },
    /// An application whose person stands at the counter.
    Served {
        /// Identifier.
        id: Uuid,
        /// Whose it is: the person who is served.
        owner: Uuid,
        /// Office that decides it.
        agency: &'a str,
        /// Where it stands.
        state: &'a str,
        /// `online`, `counter` or `agent`.
        channel: &'a str,
        /// The clerk who serves the person now.
        by: Uuid,
    },
    /// What an outside body has to confirm of an application.
    Confirmation {
        /// Identifier of the application.
        id: Uuid,
        /// The body.
        body: &'a str,
    },
    /// A person's profile.
    Profile(Uuid),
    /// The profile of the person who stands at the counter.
    ServedProfile {
        /// The person.
        id: Uuid,
        /// The clerk who serves them now.
        by: Uuid,
    },
    /// An office's pages.
    Office(&'a str),
    /// A payment batch.
    Batch {
        /// Identifier.
        id: Uuid,
        /// Who made it.
        made_by: Uuid,
    },
    /// A register of residents.
    Register(Uuid),
    /// A roll.
    Roll {
        /// Identifier.
        id: Uuid,
        /// Office that gives.
        agency: &'a str,
        /// Who drew it up.
        made_by: Uuid,
    },
    /// Invitations sent together, with how those are reached who got none.
    Campaign {
        /// Identifier.
        id: Uuid,
        /// Office that invites.
        agency: &'a str,
    },
    /// An approval to exchange data over T-Road.
    Approval {
        /// Identifier.
        id: Uuid,
        /// Who asked for it.
        made_by: Uuid,
    },
    /// What a dataset knows of somebody named in an application.
    Lookup {
        /// Identifier of the application.
        id: Uuid,
        /// Office that decides it.
        agency: &'a str,
        /// Where it stands.
        state: &'a str,
        /// The dataset.
        dataset: &'a str,
        /// Codes of the purposes that the dataset may be used for.
        purposes: &'a [String],
    },
    /// A dataset with the rows that were not taken into it.
    Dataset {
        /// Name of its folder.
        id: &'a str,
        /// Office that answers for it.
        steward: &'a str,
    },
    /// A plan of a government for a subsidy programme.
    Plan {
        /// Identifier.
        id: Uuid,
        /// The government, as the programme names it.
        government: &'a str,
        /// The ministry that takes it.
        ministry: &'a str,
        /// Where it stands.
        state: &'a str,
        /// Members of the panel with a conflict of interest.
        conflicted: &'a [Uuid],
    },
    /// A request by which a person exercises a right over their data.
    Request {
        /// Identifier.
        id: Uuid,
        /// Whose request.
        owner: Uuid,
        /// Office that answers; nothing where it is about no case.
        agency: Option<&'a str>,
    },
    /// A round with its draw.
    Round {
        /// Identifier.
        id: Uuid,
        /// Office that holds it.
        agency: &'a str,
        /// Who sealed its list.
        sealed_by: Uuid,
    },
}

/// The policies say no, or say nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the access policies do not allow `{action}` here; ask the administrator if your work needs it")]
pub struct Refused {
    /// What was asked for.
    pub action: String,
}

/// A use that the policies allow: it opens the data of one case or person, for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    owner_kind: &'static str,
    owner_id: String,
    purpose: Purpose,
}

impl Grant {
    /// The purpose it was given for.
    #[must_use]
    pub fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    pub(crate) fn covers(&self, owner_kind: &str, owner_id: &str) -> bool {
        self.owner_kind == owner_kind && self.owner_id == owner_id
    }
}

#[cfg(test)]
mod tests;
