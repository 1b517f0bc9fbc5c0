//! Inviting (寄送邀請): the persons of the chosen villages are found anew, and each is written to once.

use crate::boxed;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use civic::ids::PersonId;
use civic::{Language, NationalId};
use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan as _};
use serde::{Deserialize, Serialize};
use services::Service;
use services::invite::{Invite, Invited};
use store::Tx;
use store::ledger::{self, Entry};
use store::outbox::{self, Outcome, Task};
use store::seal::{Owner, Place, Seal};
use store::tables::campaign::{self as table, State};
use store::tables::invitation::Standing;
use store::tables::{invitation, outreach_area, outreach_day, person, preference, receiving};
use tokio::sync::mpsc;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::known::known;
use super::send::{self, SEND};
use super::sweep::{self, AREA, Asked, NATIONAL_ID};
use super::{FUNCTION, allowed, entry, refuse};
use crate::guard::{self, Action, Who};
use crate::jobs::{CHUNK, SITTING};
use crate::notify::Content;
use crate::staff::Staff;
use crate::{CaseError, Desk, people, register};

/// Kind of the work that finds the persons and writes to them.
pub(crate) const WRITE: &str = "outreach.write";

/// Days for which the names of whom no mail reaches are kept.
const KEPT: i64 = 90;
/// Most villages that are named one by one.
const MOST: usize = 2000;

/// How somebody is reached whom no mail reaches.
#[derive(Serialize, Deserialize)]
pub(super) struct Reach {
    pub(super) name: String,
    pub(super) area: String,
    pub(super) address: String,
    pub(super) phone: String,
}

/// Details of the register that an invitation needs, after the national id and the village.
const DETAILS: [&str; 4] = ["name", "email", "address", "phone"];

/// How a service invites, if it does now.
pub(super) fn inviting(service: &Service, today: Date) -> Result<&Invite, CaseError> {
    let invite = service.meta.invite.as_ref().ok_or(refuse("not_invited"))?;
    if service.meta.channels.is_empty() || service.meta.paused_on(today).is_some() {
        return Err(refuse("paused"));
    }
    Ok(invite)
}

/// Begins invitations to everybody of these villages who is entitled and does not receive; to all villages where none is named.
///
/// # Errors
/// [`CaseError::Input`] where the service invites nobody, is paused, was not counted yet, or a village is not there;
/// [`CaseError::Conflict`] while others are being written; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn begin(desk: &Desk, staff: &Staff, service: &str, areas: Vec<String>) -> Result<Uuid, CaseError> {
    let service = Arc::clone(desk.service(service)?);
    guard::office_of(desk, staff, Action::Invite, &service)?;
    inviting(&service, desk.today())?;
    let db = desk.store.read();
    let counted = outreach_day::latest(db, &service.id).await?;
    let counted = counted
        .filter(|day| day.lacking.is_empty())
        .ok_or(refuse("not_counted"))?;
    let there = outreach_area::of_service(db, &service.id).await?;
    if areas.len() > MOST || areas.iter().any(|area| there.iter().all(|one| one.area != *area)) {
        return Err(refuse("unknown_area"));
    }
    let chosen = there.iter().filter(|one| areas.is_empty() || areas.contains(&one.area));
    let (entitled, receiving) = chosen.fold((0, 0), |sum, one| (sum.0 + one.entitled, sum.1 + one.receiving));
    if entitled == receiving {
        return Err(refuse("nobody"));
    }
    let before = table::of_service(db, &service.id).await?;
    if before.iter().any(|one| one.state == State::Writing) {
        return Err(CaseError::Conflict("campaign"));
    }
    let id = Uuid::now_v7();
    let until = desk.today().checked_add(KEPT.days()).unwrap_or(Date::MAX);
    let row = table::Model {
        id,
        service: service.id.clone(),
        state: State::Writing,
        areas: serde_json::to_string(&areas).map_err(|error| CaseError::corrupt("campaign", &error))?,
        day: counted.day,
        entitled,
        receiving,
        key_id: Uuid::nil(),
        made_at: desk.now().as_microsecond(),
        made_by: staff.id.uuid(),
        dispose_on: until.to_string(),
    };
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let mut row = row;
                row.key_id = seal.new_key(tx, Owner::Campaign(id)).await?.uuid();
                table::insert(tx, row).await?;
                outbox::put(tx, Task::new(WRITE, format!("{WRITE}:{id}"), &id)).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(id)
}

/// A person to be written to.
struct Candidate {
    subject: [u8; 32],
    email: String,
    reach: Reach,
}

/// Finds the persons and writes to them, from where it stopped.
///
/// # Errors
/// [`CaseError::Rules`] when the register can't be read; the store's.
pub(crate) async fn write(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let found = table::by_id(desk.store.read(), id).await?;
    let Some(row) = found.filter(|row| row.state == State::Writing) else {
        return Ok(Outcome::Done);
    };
    let service = Arc::clone(desk.service(&row.service)?);
    let areas: HashSet<String> =
        serde_json::from_str(&row.areas).map_err(|error| CaseError::corrupt("campaign", &error))?;
    let opened = register::open(desk, &service, FUNCTION).await?;
    let asked = Asked {
        known: known(desk, &service).await?,
        service: Arc::clone(&service),
    };
    let (give, mut take) = mpsc::channel::<Result<Vec<Candidate>, CaseError>>(2);
    let (file, seal, on) = (opened.file, desk.store.seal().clone(), desk.today());
    let sweep = tokio::task::spawn_blocking(move || {
        if let Err(error) = find(&file, &seal, asked, on, &areas, &give) {
            let _ = give.blocking_send(Err(error));
        }
    });
    let begun = Instant::now();
    while let Some(candidates) = take.recv().await {
        chunk(desk, &service, &row, candidates?).await?;
        if begun.elapsed() > SITTING {
            return Ok(Outcome::Later(SignedDuration::ZERO));
        }
    }
    sweep.await.map_err(|error| CaseError::Outside {
        party: "register",
        problem: error.to_string(),
    })?;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                table::step(tx, id, State::Writing, State::Written).await?;
                Ok::<_, CaseError>(Outcome::Done)
            })
        })
        .await
}

/// Sweeps and hands on who is entitled and does not receive, some at a time.
fn find(
    file: &rules::PeopleFile,
    seal: &Seal,
    asked: Asked,
    on: Date,
    areas: &HashSet<String>,
    give: &mpsc::Sender<Result<Vec<Candidate>, CaseError>>,
) -> Result<(), CaseError> {
    let mut waiting = Vec::with_capacity(CHUNK);
    sweep::units(file, seal, &[asked], on, &DETAILS, |found| {
        let detail = |place: usize| found.person.detail(place).to_owned();
        if found.receives || !(areas.is_empty() || areas.contains(found.person.detail(AREA))) {
            return true;
        }
        if NationalId::parse(found.person.detail(NATIONAL_ID)).is_err() {
            return true;
        }
        waiting.push(Candidate {
            subject: found.subject,
            email: detail(AREA + 2),
            reach: Reach {
                name: detail(AREA + 1),
                area: detail(AREA),
                address: detail(AREA + 3),
                phone: detail(AREA + 4),
            },
        });
        waiting.len() < CHUNK || give.blocking_send(Ok(std::mem::take(&mut waiting))).is_ok()
    })?;
    if !waiting.is_empty() {
        let _ = give.blocking_send(Ok(waiting));
    }
    Ok(())
}

/// An invitation before it is written: its mail, where there is an address.
struct Line {
    id: Uuid,
    subject: [u8; 32],
    mail: Option<Content>,
    reach: Reach,
    entry: Entry,
}

async fn chunk(
    desk: &Desk,
    service: &Arc<Service>,
    row: &table::Model,
    candidates: Vec<Candidate>,
) -> Result<(), CaseError> {
    allowed(desk, &Who::System, Action::Invite, row.id, service)?;
    let invite = service.meta.invite.as_ref().ok_or(refuse("not_invited"))?;
    let subjects: Vec<Vec<u8>> = candidates.iter().map(|one| one.subject.to_vec()).collect();
    let done = invitation::known(desk.store.read(), row.id, &subjects).await?;
    let done: HashSet<Vec<u8>> = done.into_iter().collect();
    let mut lines = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if done.contains(candidate.subject.as_slice()) {
            continue;
        }
        let id = Uuid::new_v4();
        let (to, language) = address(desk, &candidate).await?;
        let fields: &[&str] = if to.is_some() { &["email"] } else { &["name", "address"] };
        lines.push(Line {
            entry: entry(desk, &Who::System, Action::Invite, service, &candidate.subject, fields),
            mail: to.map(|to| send::mail(desk, service, invite, id, to, language)),
            subject: candidate.subject,
            reach: candidate.reach,
            id,
        });
    }
    let days = i64::from(invite.again_days);
    let pen = Pen {
        seal: desk.store.seal().clone(),
        row: row.clone(),
        to: invite.to,
        since: desk
            .now()
            .checked_sub(SignedDuration::from_hours(24 * days))
            .unwrap_or(jiff::Timestamp::MIN)
            .as_microsecond(),
        // every span of so many days has a number; nobody has two mails in one
        term: desk.now().as_second().div_euclid(86_400 * days.max(1)),
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for line in lines {
                    pen.line(tx, line).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await
}

/// Where a person is written to and in which language: the account they have here knows better than the register.
async fn address(desk: &Desk, candidate: &Candidate) -> Result<(Option<String>, Language), CaseError> {
    let known = person::by_lookup(desk.store.read(), &candidate.subject).await?;
    let (mut to, mut language) = (None, Language::default());
    if let Some(known) = known {
        language = known.language.parse().unwrap_or_default();
        to = people::of(desk, PersonId::from_uuid(known.id)).await?.email;
    }
    let register = Some(candidate.email.clone()).filter(|email| email.contains('@'));
    Ok((to.or(register).filter(|_| desk.mail.is_some()), language))
}

/// What writing an invitation needs, in the hand of the writer.
struct Pen {
    seal: Seal,
    row: table::Model,
    to: Invited,
    since: i64,
    term: i64,
}

impl Pen {
    /// Writes what becomes of one person. What they want and what they did lately is asked in the transaction itself.
    async fn line(&self, tx: &Tx, line: Line) -> Result<(), CaseError> {
        let service = &self.row.service;
        let said = preference::find(tx, &line.subject).await?;
        let wants = match self.to {
            Invited::All => said != Some(false),
            Invited::Agreed => said == Some(true),
        };
        let lately = invitation::since(tx, service, &line.subject, self.since).await?
            || receiving::asked(tx, service, &line.subject, self.since).await?;
        let (standing, plain) = match (wants, lately, &line.mail) {
            (false, _, _) => (Standing::Declined, None),
            (true, true, _) => (Standing::Lately, None),
            (true, false, Some(mail)) => (Standing::Queued, Some(json(mail)?)),
            (true, false, None) => (Standing::NoAddress, Some(json(&line.reach)?)),
        };
        let sealed = match &plain {
            Some(plain) => {
                let place = Place::new("invitation", "sealed", &line.id);
                Some(self.seal.seal(tx, self.row.key_id.into(), place, plain).await?)
            }
            None => None,
        };
        let used = sealed.is_some();
        let row = invitation::Model {
            id: line.id,
            campaign_id: self.row.id,
            service: service.clone(),
            subject: line.subject.to_vec(),
            standing,
            term: (standing == Standing::Queued).then_some(self.term),
            sealed,
            made_at: tx.now().as_microsecond(),
            sent_at: None,
            applied_at: None,
        };
        invitation::insert(tx, row).await?;
        if standing == Standing::Queued {
            outbox::put(
                tx,
                Task::new(SEND, format!("{SEND}:{}", line.id), &line.id).lane("email"),
            )
            .await?;
        }
        if used {
            ledger::append(tx, line.entry).await?;
        }
        Ok(())
    }
}

fn json<T: Serialize>(value: &T) -> Result<Zeroizing<Vec<u8>>, CaseError> {
    Ok(Zeroizing::new(
        serde_json::to_vec(value).map_err(|error| CaseError::corrupt("invitation", &error))?,
    ))
}

/// Destroys the names of whom no mail reached, once their days are over.
///
/// # Errors
/// The store's.
pub(crate) async fn tidy(desk: &Desk) -> Result<u64, CaseError> {
    let over = table::over(desk.store.read(), &desk.today().to_string()).await?;
    let mut count = 0;
    for row in over {
        let seal = desk.store.seal().clone();
        desk.store
            .write(move |tx| {
                Box::pin(async move {
                    if table::step(tx, row.id, State::Written, State::Closed).await? {
                        invitation::forget(tx, row.id).await?;
                        seal.destroy(tx, row.key_id.into(), "the days of the list are over")
                            .await?;
                    }
                    Ok::<_, CaseError>(())
                })
            })
            .await?;
        count += 1;
    }
    Ok(count)
}
