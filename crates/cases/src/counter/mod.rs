//! The counter (臨櫃): a clerk serves the person who stands there. The application is the person's own; every act on it is the
//! clerk's, in the history and the usage ledger.
//!
//! A clerk can do nothing without a [`Visit`]: it is the proof that the person stands before them, and it ends.

mod change;
mod code;
mod fill;
mod paper;
mod scan;

use crate::boxed;
use civic::ids::StaffId;
use civic::{Language, NationalId};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::ledger;
use store::seal::Place;
use store::tables::visit;
use uuid::Uuid;

use crate::guard::{self, Action, Who};
use crate::history::time;
use crate::people::{self, NewPerson, Person};
use crate::staff::Staff;
use crate::{CaseError, Desk};

pub use change::{StandingCase, Way, report, standing};
pub use code::{Offer, code, password};
pub use fill::{CounterCase, agree, case, cases, draft, members, open, save};
pub use paper::{hand_in, print, receipt, signable, summary};
pub use scan::{LARGEST, Scan, content, scan, scans};

/// How long a visit lasts at most: whoever forgets to end it can't go on the next morning.
const LONGEST: SignedDuration = SignedDuration::from_hours(2);

/// How identity was shown. The document is seen and not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// National identity card (國民身分證).
    NationalIdCard,
    /// Health insurance card and a second paper (健保卡及第二證件).
    HealthCard,
    /// Resident certificate (居留證).
    ResidentCertificate,
}

impl Shown {
    /// All ways.
    pub const ALL: [Shown; 3] = [Shown::NationalIdCard, Shown::HealthCard, Shown::ResidentCertificate];

    /// The word kept in the table.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Shown::NationalIdCard => "national_id_card",
            Shown::HealthCard => "health_card",
            Shown::ResidentCertificate => "resident_certificate",
        }
    }

    /// The way of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Shown> {
        Shown::ALL.into_iter().find(|shown| shown.word() == word)
    }

    /// Its name on a sheet to sign.
    pub(crate) const fn chinese(self) -> &'static str {
        match self {
            Shown::NationalIdCard => "國民身分證",
            Shown::HealthCard => "健保卡及第二證件",
            Shown::ResidentCertificate => "居留證",
        }
    }
}

/// What the clerk reads from the document.
pub struct NewVisit {
    /// National id or number of the resident certificate.
    pub national_id: NationalId,
    /// Name on the document.
    pub name: String,
    /// Day of birth on the document.
    pub birth_date: Date,
    /// Which document.
    pub shown: Shown,
    /// The clerk saw that the person's name is another one than before.
    pub renamed: bool,
    /// Who stands there in the person's place; the document is then theirs.
    pub agent: Option<NewAgent>,
}

/// Who comes in the person's place (代辦人), as the clerk takes it down.
pub struct NewAgent {
    /// National id or number of the resident certificate.
    pub national_id: NationalId,
    /// Name on the document.
    pub name: String,
    /// The clerk has the written authority (委託書) with the person's signature before them.
    pub authority_seen: bool,
}

/// Who stands at the counter in the person's place.
#[derive(Clone, Serialize, Deserialize)]
pub struct CounterAgent {
    /// Name.
    pub name: String,
    national_id: String,
}

impl CounterAgent {
    /// National id or number of the resident certificate; none where what was kept is none.
    #[must_use]
    pub fn national_id(&self) -> Option<NationalId> {
        NationalId::parse(&self.national_id).ok()
    }
}

impl std::fmt::Debug for CounterAgent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CounterAgent")
    }
}

/// A person who stands at the counter now.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The person; what is done for them is done by the clerk.
    pub person: Person,
    /// Day of birth on the document.
    pub birth_date: Date,
    /// Which document was seen.
    pub shown: Shown,
    /// Who stands there in the person's place.
    pub agent: Option<CounterAgent>,
    /// When it began.
    pub started: Timestamp,
    staff: StaffId,
}

impl Visit {
    /// The word of how somebody became known: the document, and that it is an agent's.
    pub(crate) fn known_by(&self) -> String {
        match self.agent {
            None => self.shown.word().to_owned(),
            Some(_) => format!("agent:{}", self.shown.word()),
        }
    }
}

/// What a visit knows beside the account.
#[derive(Serialize, Deserialize)]
struct Sealed {
    birth_date: Date,
    #[serde(default)]
    agent: Option<CounterAgent>,
}

fn clerk(staff: &Staff, person: civic::ids::PersonId) -> Who {
    Who::Clerk {
        id: staff.id,
        agency: staff.agency.clone(),
        serving: person,
    }
}

/// A name as it stands on a document.
fn named(text: &str, field: &'static str) -> Result<String, CaseError> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(CaseError::Input {
            field,
            problem: "empty",
        });
    }
    Ok(name.to_owned())
}

/// Who comes in the place of this person.
fn taken(new: NewAgent, person: &NationalId) -> Result<CounterAgent, CaseError> {
    let wrong = |field, problem| Err(CaseError::Input { field, problem });
    let name = named(&new.name, "agent_name")?;
    if &new.national_id == person {
        return wrong("agent_id", "same");
    }
    if !new.authority_seen {
        return wrong("authority", "unseen");
    }
    Ok(CounterAgent {
        name,
        national_id: new.national_id.reveal().to_owned(),
    })
}

/// Begins to serve a person; a visit still open ends.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but clerks; [`CaseError::Input`] for a name that is none, a day of birth to come, a
/// name that differs from the one known, or an agent who is the person or brings no written authority; the store's.
#[boxed]
pub async fn begin(desk: &Desk, staff: &Staff, new: NewVisit) -> Result<(), CaseError> {
    guard::office(desk, staff, Action::Serve)?;
    let name = named(&new.name, "name")?;
    if new.birth_date > desk.today() {
        return Err(CaseError::Input {
            field: "birth_date",
            problem: "future",
        });
    }
    let agent = match new.agent {
        Some(agent) => Some(taken(agent, &new.national_id)?),
        None => None,
    };
    let row = people::noted(
        desk,
        NewPerson {
            national_id: new.national_id,
            name: name.clone(),
            email: None,
            phone: None,
        },
    )
    .await?;
    let key = row.key_id;
    let who = clerk(staff, row.id.into());
    let person = people::served(desk, row, who.clone()).await?;
    if person.name != name {
        if !new.renamed {
            return Err(CaseError::Input {
                field: "name",
                problem: "differs",
            });
        }
        people::rename(desk, &person, &name).await?;
    }
    let id = Uuid::new_v4();
    let sealed = crate::record::seal(
        desk,
        desk.store.read(),
        key.into(),
        Place::new("visit", "sealed", &id),
        &Sealed {
            birth_date: new.birth_date,
            agent,
        },
    )
    .await?;
    let entry = guard::serving(desk, &who, person.lookup);
    let row = visit::Model {
        id,
        staff_id: staff.id.uuid(),
        person_id: person.id.uuid(),
        shown: new.shown.word().to_owned(),
        sealed,
        started_at: desk.now().as_microsecond(),
        ended_at: None,
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                visit::end_of(tx, row.staff_id, row.started_at).await?;
                visit::insert(tx, row).await?;
                ledger::append(tx, entry).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
}

/// The person a clerk serves now, if there is one.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but clerks; the store's.
#[boxed]
pub async fn current(desk: &Desk, staff: &Staff) -> Result<Option<Visit>, CaseError> {
    guard::office(desk, staff, Action::Serve)?;
    let since = desk.now().checked_sub(LONGEST).unwrap_or(Timestamp::MIN);
    let Some(row) = visit::open_of(desk.store.read(), staff.id.uuid(), since.as_microsecond()).await? else {
        return Ok(None);
    };
    let known = store::tables::person::by_id(desk.store.read(), row.person_id)
        .await?
        .ok_or(CaseError::NotFound("person"))?;
    let key = known.key_id;
    let who = clerk(staff, row.person_id.into());
    let grant = guard::served_profile(desk, &who, row.person_id.into())?;
    let place = Place::new("visit", "sealed", &row.id);
    let sealed: Sealed = crate::record::unseal(desk, &grant, key.into(), place, &row.sealed).await?;
    Ok(Some(Visit {
        person: people::served(desk, known, who).await?,
        birth_date: sealed.birth_date,
        agent: sealed.agent,
        shown: Shown::parse(&row.shown).ok_or_else(|| CaseError::Corrupt {
            what: "visit",
            why: "unknown document".to_owned(),
        })?,
        started: time(row.started_at),
        staff: staff.id,
    }))
}

/// The person goes.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but clerks; the store's.
#[boxed]
pub async fn end(desk: &Desk, staff: &Staff) -> Result<(), CaseError> {
    guard::office(desk, staff, Action::Serve)?;
    let (id, at) = (staff.id.uuid(), desk.now().as_microsecond());
    desk.store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(visit::end_of(tx, id, at).await?) }))
        .await
}

/// The language a case of the counter is kept in.
pub(crate) fn language(row: &store::tables::application::Model) -> Language {
    row.language.parse().unwrap_or_default()
}
