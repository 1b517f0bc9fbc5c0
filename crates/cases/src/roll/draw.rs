//! Drawing up: the sweep finds who is entitled, and each gets a case filled from the register.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use civic::ids::{ApplicationId, DecisionId, EventId, PersonId};
use civic::{NationalId, roc};
use jiff::civil::Date;
use services::Service;
use services::form::Answers;
use store::Tx;
use store::ledger::{self, ActorKind, Entry};
use store::outbox::Outcome;
use store::seal::{Owner, Place, Seal};
use store::tables::roll_entry::Standing;
use store::tables::{application, decision, event, exclusion, measure, person, roll as table, roll_entry};
use tokio::sync::mpsc;
use uuid::Uuid;
use zeroize::Zeroizing;

use services::roll::Of;

use super::{APPLIED, RollState, find, step};
use crate::history::day;
use crate::jobs::{CHUNK, SITTING};
use crate::people::{self, NewPerson};
use crate::register::{self, Family};
use crate::transition::{self, State};
use crate::{CaseError, Desk, Month, decide, succession, wanted};

/// Kind of the work that draws a roll up.
pub(crate) const DRAW: &str = "roll.draw";

/// One person of the roll, ready to be written.
struct Line {
    person: NewPerson,
    subject: [u8; 32],
    answers: Answers,
    decision: rules::Decision,
    area: String,
}

/// Draws a roll up, from where it stopped.
///
/// # Errors
/// [`CaseError::Rules`] when the register can't be read; the store's.
pub(crate) async fn draw(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let Some(roll) = table::by_id(desk.store.read(), id).await? else {
        return Ok(Outcome::Done);
    };
    if roll.state != RollState::Drawing {
        return Ok(Outcome::Done);
    }
    let service = Arc::clone(desk.service(&roll.service)?);
    if service.rolls.as_ref().is_some_and(|rolls| rolls.of == Of::InForce) {
        return succession::draw(desk, roll, service).await;
    }
    let on = day("roll", &roll.reference_date)?;
    let opened = register::open(desk, &service, "list").await?;
    let (give, mut take) = mpsc::channel::<Result<Vec<Family>, CaseError>>(2);
    let (sweeping, file) = (Arc::clone(&service), opened.file.clone());
    let sweep = tokio::task::spawn_blocking(move || {
        if let Err(error) = found(&sweeping, &file, on, &give) {
            let _ = give.blocking_send(Err(error));
        }
    });
    let (mut differing, begun) = (0, Instant::now());
    while let Some(families) = take.recv().await {
        differing += chunk(desk, &service, &roll, on, families?).await?;
        if begun.elapsed() > SITTING {
            // goes on where it stopped, well before others think that this work was abandoned
            return Ok(Outcome::Later(jiff::SignedDuration::ZERO));
        }
    }
    sweep.await.map_err(|error| CaseError::Outside {
        party: "register",
        problem: error.to_string(),
    })?;
    let mut roll = roll;
    roll.state = RollState::Drawn;
    roll.as_of = opened.as_of.to_string();
    roll.differing = differing;
    desk.store
        .write(move |tx| Box::pin(async move { step(tx, roll, None).await }))
        .await?;
    Ok(Outcome::Done)
}

/// Sweeps and hands on the families of everybody entitled, some at a time.
fn found(
    service: &Service,
    file: &rules::PeopleFile,
    on: Date,
    give: &mpsc::Sender<Result<Vec<Family>, CaseError>>,
) -> Result<(), CaseError> {
    let (swept, _, _) = service.rules.sweep_file(file.clone(), on)?;
    let entitled = swept.applicant.iter().zip(swept.outcome.iter());
    let rows: Vec<u64> = entitled
        .filter(|(_, outcome)| *outcome == Some(true))
        .map(|(row, _)| *row)
        .collect();
    drop(swept);
    let mut waiting = Vec::with_capacity(CHUNK);
    register::families(file, service, &rows, |family| {
        waiting.push(family);
        waiting.len() < CHUNK || give.blocking_send(Ok(std::mem::take(&mut waiting))).is_ok()
    })?;
    if !waiting.is_empty() {
        let _ = give.blocking_send(Ok(waiting));
    }
    Ok(())
}

/// Writes some lines. Says how many persons a decision of their own does not find entitled.
async fn chunk(
    desk: &Desk,
    service: &Arc<Service>,
    roll: &table::Model,
    on: Date,
    families: Vec<Family>,
) -> Result<i64, CaseError> {
    let (mut lines, mut differing) = (Vec::with_capacity(families.len()), 0);
    for family in families {
        let id = family.listed.profile.get("national_id").map(|id| NationalId::parse(id));
        let Some(Ok(national_id)) = id else {
            differing += 1;
            continue;
        };
        let answers = service.form.listed(&family.listed, desk.now());
        let decision = decide::decide(service, &answers, on)?;
        if decision.outcome != Some(true) {
            tracing::warn!(row = family.row, "swept as entitled, decided otherwise");
            differing += 1;
            continue;
        }
        let detail = |name: &str| family.listed.profile.get(name).cloned();
        lines.push(Line {
            subject: desk.store.seal().lookup("national_id", national_id.reveal()),
            person: NewPerson {
                national_id,
                name: detail("name").unwrap_or_default(),
                email: detail("email"),
                phone: detail("phone"),
            },
            answers,
            decision,
            area: family.area,
        });
    }
    let subjects: Vec<Vec<u8>> = lines.iter().map(|line| line.subject.to_vec()).collect();
    let db = desk.store.read();
    let known: HashSet<Vec<u8>> = roll_entry::known(db, roll.id, &subjects).await?.into_iter().collect();
    lines.retain(|line| !known.contains(line.subject.as_slice()));
    let left_out = exclusion::of(db, &service.id, &subjects, &desk.today().to_string()).await?;
    let (_, spec) = find(service, &roll.roll)?;
    let since = civic::legal_start(spec.from).as_microsecond();
    let pen = Pen::of(desk, service, roll);
    let purpose = desk.purpose(service, "list", None);
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for line in lines {
                    pen.line(tx, line, &left_out, since, &purpose).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(differing)
}

/// What writing a line needs, in the hand of the writer.
pub(crate) struct Pen {
    seal: Seal,
    clock: Arc<dyn civic::Clock>,
    service: Arc<Service>,
    roll: table::Model,
    today: Date,
    deadline: Date,
}

impl Pen {
    /// For the lines of a roll.
    pub(crate) fn of(desk: &Desk, service: &Arc<Service>, roll: &table::Model) -> Pen {
        Pen {
            seal: desk.store.seal().clone(),
            clock: Arc::clone(&desk.clock),
            service: Arc::clone(service),
            roll: roll.clone(),
            today: desk.today(),
            deadline: service.meta.deadline.end(&desk.calendar, desk.today()),
        }
    }

    /// The roll.
    pub(crate) fn roll(&self) -> Uuid {
        self.roll.id
    }

    /// `since`: from when on whoever applies gets the same thing as the roll gives, microseconds UTC.
    async fn line(
        &self,
        tx: &Tx,
        line: Line,
        left_out: &[(Vec<u8>, String)],
        since: i64,
        purpose: &civic::Purpose,
    ) -> Result<(), CaseError> {
        let amount = line
            .decision
            .amounts
            .values()
            .filter_map(|amount| *amount)
            .fold(0, i64::saturating_add);
        let mut entry = roll_entry::Model {
            id: Uuid::now_v7(),
            roll_id: self.roll.id,
            subject: line.subject.to_vec(),
            application_id: None,
            area: line.area.clone(),
            standing: Standing::Listed,
            reason: None,
            amount,
            payable: wanted::payee(&self.service.form, &line.answers).is_some(),
        };
        let out = left_out.iter().find(|(subject, _)| *subject == entry.subject);
        let mut reason = out.map(|(_, reason)| reason.clone());
        if let Some(person) = person::by_lookup(tx, &line.subject).await?
            && application::applied(tx, person.id, &self.service.id, since).await?
        {
            // whoever applied is decided by that; nobody is given it twice
            reason = Some(APPLIED.to_owned());
        }
        if reason.is_some() {
            entry.standing = Standing::Excluded;
            entry.reason = reason;
            roll_entry::insert(tx, vec![entry]).await?;
            return Ok(());
        }
        let id = self.case(tx, &line.person, &line.answers, &line.decision).await?;
        entry.application_id = Some(id.uuid());
        roll_entry::insert(tx, vec![entry]).await?;
        let used = Entry {
            at: tx.now(),
            actor: ActorKind::System,
            actor_id: None,
            action: "list".to_owned(),
            purpose: civic::Purpose {
                application: Some(id),
                ..purpose.clone()
            },
            application: Some(id),
            subject: Some(line.subject),
            fields: vec!["register".to_owned()],
            count: 1,
        };
        ledger::append(tx, used).await?;
        Ok(())
    }

    /// Writes the case: as one that was handed in today, decided by the law of the roll's day.
    pub(crate) async fn case(
        &self,
        tx: &Tx,
        person: &NewPerson,
        answers: &Answers,
        made: &rules::Decision,
    ) -> Result<ApplicationId, CaseError> {
        let noted = people::note(tx, &self.seal, PersonId::generate(self.clock.as_ref()), person).await?;
        let id = ApplicationId::generate(self.clock.as_ref());
        let key = self.seal.new_key(tx, Owner::Application(id.uuid())).await?;
        let answers = json("application", answers)?;
        let answers = self
            .seal
            .seal(tx, key, Place::new("application", "answers", &id.uuid()), &answers)
            .await?;
        let at = tx.now().as_microsecond();
        let series = format!("{}-{}", roc::year(self.today), self.service.meta.series);
        let count = application::next_in_series(tx, &series).await?;
        let measure_id = Uuid::new_v4();
        application::insert(
            tx,
            application::Model {
                id: id.uuid(),
                number: Some(format!("{series}-{count:06}")),
                service: self.service.id.clone(),
                service_digest: self.service.digest.clone(),
                person_id: Some(noted.uuid()),
                key_id: key.uuid(),
                // by which the person sees and answers it; `roll_id` says that nobody applied
                channel: civic::Channel::Online.word().to_owned(),
                language: civic::Language::ZhTw.tag().to_owned(),
                state: State::Submitted,
                revision: 1,
                answers: Some(answers),
                form_token: None,
                opened_at: at,
                updated_at: at,
                draft_until: at,
                submitted_at: Some(at),
                deadline: Some(self.deadline.to_string()),
                clock_stopped_at: None,
                stopped_days: 0,
                assigned_to: None,
                finding: Some(decide::finding(made).to_owned()),
                correction: None,
                correction_due: None,
                decided_at: None,
                outcome: None,
                completed_at: None,
                uploads: 0,
                measure_id: Some(measure_id),
                dispose_after: None,
                disposed_at: None,
                reference_date: Some(self.roll.reference_date.clone()),
                roll_id: Some(self.roll.id),
            },
        )
        .await?;
        event::insert(
            tx,
            event::Model {
                id: EventId::generate(self.clock.as_ref()).uuid(),
                application_id: id.uuid(),
                revision: 1,
                at,
                actor: "system".to_owned(),
                actor_id: None,
                kind: "listed".to_owned(),
                from_state: None,
                to_state: transition::name(State::Submitted).to_owned(),
                detail: None,
            },
        )
        .await?;
        let decision_id = DecisionId::generate(self.clock.as_ref()).uuid();
        let kept = json("decision", made)?;
        let place = Place::new("decision", "sealed", &decision_id);
        decision::insert(
            tx,
            decision::Model {
                id: decision_id,
                application_id: id.uuid(),
                revision: 1,
                at,
                occasion: "submitted".to_owned(),
                rules_digest: made.digest.clone(),
                reference_date: made.reference_date.to_string(),
                finding: decide::finding(made).to_owned(),
                sealed: self.seal.seal(tx, key, place, &kept).await?,
            },
        )
        .await?;
        measure::insert(
            tx,
            measure::Model {
                id: measure_id,
                service: self.service.id.clone(),
                month: Month::of(self.today).to_string(),
                channel: "proactive".to_owned(),
                outcome: None,
                days: None,
                paper_documents: self.service.meta.paper_documents,
                uploads: 0,
                corrections: 0,
                grade: None,
            },
        )
        .await?;
        Ok(id)
    }
}

fn json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<Zeroizing<Vec<u8>>, CaseError> {
    Ok(Zeroizing::new(
        serde_json::to_vec(value).map_err(|error| CaseError::corrupt(what, &error))?,
    ))
}
