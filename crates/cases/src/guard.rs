//! The guard before personal data: states the purpose, asks the access policies, and writes the entry of the usage ledger.

use std::sync::Arc;

use civic::ids::{ApplicationId, PersonId, StaffId};
use civic::{Channel, Language, Purpose};
use services::Service;
use store::access::{Actor, Grant, Resource};
use store::ledger::{ActorKind, Entry};
use store::tables::{application, payment_batch, person, roll, round};
use uuid::Uuid;

use crate::agents::Acting;
use crate::record::Record;
use crate::staff::{Role, Staff};
use crate::{CaseError, Desk, transition};

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The platform's own work.
    System,
    /// A resident on their own case.
    Resident(PersonId),
    /// Somebody who acts for a resident under an authorisation (數位代理人).
    Agent(Arc<Acting>),
    /// A member of staff.
    Staff {
        /// Identifier.
        id: StaffId,
        /// What they may do.
        role: Role,
        /// Office they work for, as the services name it.
        agency: String,
    },
    /// A clerk at the counter, for the person who stands before them; only [`crate::counter`] makes one.
    Clerk {
        /// The clerk.
        id: StaffId,
        /// Office they work for.
        agency: String,
        /// Who is served.
        serving: PersonId,
    },
}

impl Who {
    pub(crate) fn actor(&self) -> Actor<'_> {
        match self {
            Who::System => Actor::System,
            Who::Resident(id) => Actor::Resident(id.uuid()),
            Who::Agent(acting) => Actor::Agent(acting.actor()),
            Who::Staff { id, role, agency } => Actor::Staff {
                id: id.uuid(),
                role: role.word(),
                agency,
            },
            Who::Clerk { id, agency, .. } => Actor::Staff {
                id: id.uuid(),
                role: Role::Clerk.word(),
                agency,
            },
        }
    }

    /// As the history keeps it: the kind of actor, and which.
    pub(crate) fn columns(&self) -> (&'static str, Option<Uuid>) {
        match self {
            Who::System => ("system", None),
            Who::Resident(id) => ("person", Some(id.uuid())),
            Who::Agent(acting) => acting.by.columns(),
            Who::Staff { id, .. } | Who::Clerk { id, .. } => ("staff", Some(id.uuid())),
        }
    }

    pub(crate) fn in_ledger(&self) -> (ActorKind, Option<Uuid>) {
        match self {
            Who::System => (ActorKind::System, None),
            Who::Resident(id) => (ActorKind::Resident, Some(id.uuid())),
            Who::Agent(acting) => acting.in_ledger(),
            Who::Staff { id, .. } | Who::Clerk { id, .. } => (ActorKind::Staff, Some(id.uuid())),
        }
    }
}

/// What is done; the word is the action of the access policies, the function of the purpose and the action of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Open,
    Fill,
    Submit,
    Withdraw,
    Reuse,
    FollowUp,
    View,
    Correct,
    Answer,
    Object,
    Report,
    Letters,
    Payments,
    Account,
    Data,
    MyData,
    Wallet,
    Survey,
    Import,
    Notify,
    Dispose,
    Read,
    Decide,
    Pay,
    Release,
    Queue,
    Measure,
    Round,
    Roll,
    Concur,
    Confirm,
    List,
    Audit,
    Administer,
    Assist,
    Serve,
    Assign,
    Appeal,
    Outreach,
    Invite,
    Visit,
    Prefer,
    Exercise,
    AnswerRequest,
    Privacy,
    Breach,
    Lookup,
    Steward,
    Mend,
}

impl Action {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Action::Open => "open",
            Action::Fill => "fill",
            Action::Submit => "submit",
            Action::Withdraw => "withdraw",
            Action::Reuse => "reuse",
            Action::FollowUp => "follow_up",
            Action::View => "view",
            Action::Correct => "correct",
            Action::Answer => "answer",
            Action::Object => "object",
            Action::Report => "report",
            Action::Letters => "letters",
            Action::Payments => "payments",
            Action::Account => "account",
            Action::Data => "data",
            Action::MyData => "mydata",
            Action::Wallet => "wallet",
            Action::Survey => "survey",
            Action::Import => "import",
            Action::Notify => "notify",
            Action::Dispose => "dispose",
            Action::Read => "read",
            Action::Decide => "decide",
            Action::Pay => "pay",
            Action::Release => "release",
            Action::Queue => "queue",
            Action::Measure => "measure",
            Action::Round => "round",
            Action::Roll => "roll",
            Action::Concur => "concur",
            Action::Confirm => "confirm",
            Action::List => "list",
            Action::Audit => "audit",
            Action::Administer => "administer",
            Action::Assist => "assist",
            Action::Serve => "serve",
            Action::Assign => "assign",
            Action::Appeal => "appeal",
            Action::Outreach => "outreach",
            Action::Invite => "invite",
            Action::Visit => "visit",
            Action::Prefer => "prefer",
            Action::Exercise => "exercise",
            Action::AnswerRequest => "answer_request",
            Action::Privacy => "privacy",
            Action::Breach => "breach",
            Action::Lookup => "lookup",
            Action::Steward => "steward",
            Action::Mend => "mend",
        }
    }
}

/// 特定目的 175: management and public affairs of local government, for pages of an office that show no person.
const OFFICE_CODE: &str = "175";
const OFFICE_BASIS: &str = "地方制度法 §18、§19";
/// 特定目的 135: services of information and communication, for the account of a person on the portal.
const PROFILE_CODE: &str = "135";
const PROFILE_BASIS: &str = "個人資料保護法 §15 ②";
/// Ground of a disposal when the service is not on offer any more.
const DISPOSAL_BASIS: &str = "個人資料保護法 §11 III";

/// The office that decides the cases of a service.
pub(crate) fn agency(service: &Service) -> &str {
    service.meta.agency.get(Language::ZhTw)
}

/// May `who` do this to this case, for the purpose of its service.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn case(
    desk: &Desk,
    who: &Who,
    action: Action,
    row: &application::Model,
    service: &Service,
) -> Result<Grant, CaseError> {
    let opened_under = match who {
        Who::Agent(acting) => acting.opened_under(row.id),
        _ => None,
    };
    let found = Found {
        id: row.id,
        owner: row.person_id,
        agency: agency(service),
        state: transition::name(row.state),
        service: &row.service,
        channel: &row.channel,
        opened_under,
    };
    let purpose = desk.purpose(service, action.word(), Some(ApplicationId::from_uuid(row.id)));
    Ok(desk
        .store
        .access()
        .decide(who.actor(), action.word(), found.resource(who), purpose)?)
}

/// May `who` open an application of this service for `person`; for an agent it will be one opened under the authorisation.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn opening(
    desk: &Desk,
    who: &Who,
    person: PersonId,
    id: ApplicationId,
    service: &Service,
    channel: Channel,
) -> Result<(), CaseError> {
    let opened_under = match who {
        Who::Agent(acting) => Some(acting.id.uuid()),
        _ => None,
    };
    let found = Found {
        id: id.uuid(),
        owner: Some(person.uuid()),
        agency: agency(service),
        state: transition::name(transition::State::Draft),
        service: &service.id,
        channel: channel.word(),
        opened_under,
    };
    let word = Action::Open.word();
    let purpose = desk.purpose(service, word, Some(id));
    desk.store
        .access()
        .decide(who.actor(), word, found.resource(who), purpose)?;
    Ok(())
}

/// What is known of a case whose use is asked for.
struct Found<'a> {
    id: Uuid,
    owner: Option<Uuid>,
    agency: &'a str,
    state: &'a str,
    service: &'a str,
    channel: &'a str,
    opened_under: Option<Uuid>,
}

impl<'a> Found<'a> {
    /// As the policies see it, by who asks.
    fn resource(&self, who: &Who) -> Resource<'a> {
        let (id, agency, state) = (self.id, self.agency, self.state);
        match (who, self.owner) {
            (Who::Agent(_), owner) => Resource::Entrusted {
                id,
                owner,
                agency,
                state,
                service: self.service,
                opened_under: self.opened_under,
            },
            (Who::Clerk { id: by, serving, .. }, Some(owner)) if serving.uuid() == owner => Resource::Served {
                id,
                owner,
                agency,
                state,
                channel: self.channel,
                by: by.uuid(),
            },
            (_, owner) => Resource::Application {
                id,
                owner,
                agency,
                state,
            },
        }
    }
}

/// May `who` ask a dataset of the city about somebody named in this case.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn lookup(
    desk: &Desk,
    who: &Who,
    row: &application::Model,
    service: &Service,
    dataset: &hub::Dataset,
    purpose: Purpose,
) -> Result<Grant, CaseError> {
    let resource = Resource::Lookup {
        id: row.id,
        agency: agency(service),
        state: transition::name(row.state),
        dataset: &dataset.id,
        purposes: &dataset.purposes,
    };
    let action = Action::Lookup.word();
    Ok(desk.store.access().decide(who.actor(), action, resource, purpose)?)
}

/// May a person's earlier case be read for a new one, for the purpose of the new one.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn reuse(
    desk: &Desk,
    who: &Who,
    earlier: &application::Model,
    decided_by: &Service,
    purpose: Purpose,
) -> Result<Grant, CaseError> {
    let resource = Resource::Application {
        id: earlier.id,
        owner: earlier.person_id,
        agency: agency(decided_by),
        state: transition::name(earlier.state),
    };
    let action = Action::Reuse.word();
    Ok(desk.store.access().decide(who.actor(), action, resource, purpose)?)
}

/// May `who` do this to a result that a person left with the office of a service. It is guarded as a case of that office is.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn follow_up(
    desk: &Desk,
    who: &Who,
    action: Action,
    id: Uuid,
    owner: Uuid,
    service: &Service,
) -> Result<Grant, CaseError> {
    let resource = Resource::Application {
        id,
        owner: Some(owner),
        agency: agency(service),
        state: transition::name(crate::State::Submitted),
    };
    let purpose = desk.purpose(service, action.word(), None);
    Ok(desk
        .store
        .access()
        .decide(who.actor(), action.word(), resource, purpose)?)
}

/// The entry for an earlier case read for a purpose that is not its own.
pub(crate) fn reused(
    desk: &Desk,
    who: &Who,
    earlier: ApplicationId,
    purpose: Purpose,
    subject: [u8; 32],
    fields: &[&str],
) -> Entry {
    written(desk, who, Action::Reuse, earlier, purpose, Some(subject), fields)
}

/// The purpose of the questionnaire over all services, for a person's own account.
pub(crate) fn screening() -> Purpose {
    Purpose {
        code: PROFILE_CODE.to_owned(),
        basis: PROFILE_BASIS.to_owned(),
        function: Action::Reuse.word().to_owned(),
        application: None,
    }
}

/// May a member of an outside body's staff see what their body has to confirm of this case.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn confirmation(
    desk: &Desk,
    staff: &Staff,
    row: &application::Model,
    service: &Service,
    body: &str,
) -> Result<Grant, CaseError> {
    let who = staff.who();
    let word = Action::Confirm.word();
    let purpose = desk.purpose(service, word, Some(ApplicationId::from_uuid(row.id)));
    let resource = Resource::Confirmation { id: row.id, body };
    Ok(desk.store.access().decide(who.actor(), word, resource, purpose)?)
}

/// May a member of staff use this page of their office.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn office(desk: &Desk, staff: &Staff, action: Action) -> Result<(), CaseError> {
    let who = staff.who();
    desk.store.access().decide(
        who.actor(),
        action.word(),
        Resource::Office(&staff.agency),
        of_office(action.word()),
    )?;
    Ok(())
}

/// Whether a service is one of a member of staff's own office. One that is not offered any more is everybody's.
pub(crate) fn is_own(desk: &Desk, staff: &Staff, service: &str) -> bool {
    desk.catalogue
        .get(service)
        .is_none_or(|service| agency(service) == staff.agency)
}

/// May a member of staff do this for the office that decides the cases of a service.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn office_of(desk: &Desk, staff: &Staff, action: Action, service: &Service) -> Result<(), CaseError> {
    let who = staff.who();
    desk.store.access().decide(
        who.actor(),
        action.word(),
        Resource::Office(agency(service)),
        of_office(action.word()),
    )?;
    Ok(())
}

/// May a member of staff draw from this list: never the one who sealed it.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn draw(desk: &Desk, staff: &Staff, service: &Service, round: &round::Model) -> Result<(), CaseError> {
    let who = staff.who();
    let resource = Resource::Round {
        id: round.id,
        agency: agency(service),
        sealed_by: round.sealed_by,
    };
    desk.store
        .access()
        .decide(who.actor(), "draw", resource, of_office("draw"))?;
    Ok(())
}

/// May a member of staff confirm the lines of a roll for the office that the service names.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn confirm(desk: &Desk, staff: &Staff, confirm: &services::roll::Confirm) -> Result<(), CaseError> {
    let who = staff.who();
    let agency = confirm.agency.get(Language::ZhTw);
    desk.store
        .access()
        .decide(who.actor(), "concur", Resource::Office(agency), of_office("concur"))?;
    Ok(())
}

/// May a member of staff grant this roll: never the one who drew it up.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn grant(desk: &Desk, staff: &Staff, service: &Service, roll: &roll::Model) -> Result<(), CaseError> {
    let who = staff.who();
    let resource = Resource::Roll {
        id: roll.id,
        agency: agency(service),
        made_by: roll.made_by,
    };
    desk.store
        .access()
        .decide(who.actor(), "grant", resource, of_office("grant"))?;
    Ok(())
}

/// The purpose of pages that show no person.
pub(crate) fn of_office(function: &str) -> Purpose {
    Purpose {
        code: OFFICE_CODE.to_owned(),
        basis: OFFICE_BASIS.to_owned(),
        function: function.to_owned(),
        application: None,
    }
}

/// May a member of staff release this batch: never the one they made.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn release(desk: &Desk, staff: &Staff, batch: &payment_batch::Model) -> Result<(), CaseError> {
    let (who, word) = (staff.who(), Action::Release.word());
    let resource = Resource::Batch {
        id: batch.id,
        made_by: batch.made_by,
    };
    desk.store
        .access()
        .decide(who.actor(), word, resource, of_office(word))?;
    Ok(())
}

/// A person's own profile.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn own_profile(desk: &Desk, id: PersonId) -> Result<Grant, CaseError> {
    profile(desk, &Who::Resident(id), id, "profile")
}

/// May `who` do this to the account of a person.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn profile(desk: &Desk, who: &Who, id: PersonId, action: &'static str) -> Result<Grant, CaseError> {
    let purpose = of_person(PROFILE_BASIS, action);
    Ok(desk
        .store
        .access()
        .decide(who.actor(), action, Resource::Profile(id.uuid()), purpose)?)
}

/// A purpose for the account of a person on the portal, by this law.
pub(crate) fn of_person(basis: &str, function: &str) -> Purpose {
    Purpose {
        code: PROFILE_CODE.to_owned(),
        basis: basis.to_owned(),
        function: function.to_owned(),
        application: None,
    }
}

/// The profile of the person whom a clerk serves.
///
/// # Errors
/// [`CaseError::Refused`].
pub(crate) fn served_profile(desk: &Desk, who: &Who, person: PersonId) -> Result<Grant, CaseError> {
    let resource = match who {
        Who::Clerk { id, serving, .. } if *serving == person => Resource::ServedProfile {
            id: person.uuid(),
            by: id.uuid(),
        },
        _ => Resource::Profile(person.uuid()),
    };
    Ok(desk
        .store
        .access()
        .decide(who.actor(), "profile", resource, of_office("profile"))?)
}

/// The entry of the usage ledger for a person who shows a document at the counter.
pub(crate) fn serving(desk: &Desk, who: &Who, subject: [u8; 32]) -> Entry {
    let (actor, actor_id) = who.in_ledger();
    Entry {
        at: desk.now(),
        actor,
        actor_id,
        action: Action::Serve.word().to_owned(),
        purpose: of_office(Action::Serve.word()),
        application: None,
        subject: Some(subject),
        fields: ["name", "national_id", "birth_date"].map(str::to_owned).to_vec(),
        count: 1,
    }
}

/// The entry of the usage ledger for a use of a case's data; `fields` are the names of what was used.
pub(crate) fn entry(
    desk: &Desk,
    who: &Who,
    action: Action,
    id: ApplicationId,
    service: &Service,
    subject: Option<[u8; 32]>,
    fields: &[&str],
) -> Entry {
    let purpose = desk.purpose(service, action.word(), Some(id));
    written(desk, who, action, id, purpose, subject, fields)
}

/// The entry for an act that opens no data, whether or not the service is still on offer.
pub(crate) fn plain_entry(desk: &Desk, who: &Who, action: Action, id: ApplicationId, service: &str) -> Entry {
    let purpose = match desk.catalogue.get(service) {
        Some(service) => desk.purpose(service, action.word(), Some(id)),
        None => Purpose {
            code: OFFICE_CODE.to_owned(),
            basis: DISPOSAL_BASIS.to_owned(),
            function: action.word().to_owned(),
            application: Some(id),
        },
    };
    written(desk, who, action, id, purpose, None, &[])
}

fn written(
    desk: &Desk,
    who: &Who,
    action: Action,
    id: ApplicationId,
    purpose: Purpose,
    subject: Option<[u8; 32]>,
    fields: &[&str],
) -> Entry {
    let (actor, actor_id) = who.in_ledger();
    Entry {
        at: desk.now(),
        actor,
        actor_id,
        action: action.word().to_owned(),
        purpose,
        application: Some(id),
        subject,
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
        count: 1,
    }
}

/// The person a case is about, as the ledger names them, so that they can read the entry.
///
/// # Errors
/// The store's.
pub(crate) async fn subject(desk: &Desk, record: &Record) -> Result<Option<[u8; 32]>, CaseError> {
    let Some(id) = record.row.person_id else {
        return Ok(None);
    };
    let row = person::by_id(desk.store.read(), id).await?;
    Ok(row.and_then(|row| row.lookup.try_into().ok()))
}
