//! A change of one application: the new row, its history, its entry in the usage ledger and the work that follows
//! from it, in one transaction.

use civic::ids::EventId;
use store::Tx;
use store::ledger::{self, Entry};
use store::outbox::{self, Task};
use store::seal::Place;
use store::tables::{application, event};

use crate::agents::Hold;
use crate::guard::Who;
use crate::record::{self, Record};
use crate::transition::{self, Act, State};
use crate::{CaseError, Desk, Person, history};

/// What is to be written.
pub(crate) struct Change {
    /// The row with its new values and the revision it was read with.
    pub(crate) row: application::Model,
    event: Option<event::Model>,
    /// How the person proved who they are, told beside the event.
    proof: Option<event::Model>,
    /// Uses of personal data to record.
    pub(crate) entries: Vec<Entry>,
    /// Work that follows.
    pub(crate) tasks: Vec<Task>,
    /// What an agent's act rests on, looked at once more in the transaction.
    pub(crate) hold: Hold,
}

impl Change {
    /// A change that leaves the state as it is and tells no story, such as a saved page.
    pub(crate) fn quiet(desk: &Desk, row: application::Model) -> Change {
        let mut row = row;
        row.updated_at = desk.now().as_microsecond();
        Change {
            row,
            event: None,
            proof: None,
            entries: Vec::new(),
            tasks: Vec::new(),
            hold: Hold::default(),
        }
    }

    /// An act that moves the application to its next state.
    pub(crate) fn act(desk: &Desk, who: &Who, row: &application::Model, act: Act) -> Result<Change, CaseError> {
        let to = transition::next(row.state, act)?;
        Ok(Change::told(desk, who, row, act.event(), to))
    }

    /// Something to tell that leaves the state as it is.
    pub(crate) fn note(desk: &Desk, who: &Who, row: &application::Model, kind: &str) -> Change {
        Change::told(desk, who, row, kind, row.state)
    }

    fn told(desk: &Desk, who: &Who, row: &application::Model, kind: &str, to: State) -> Change {
        let mut change = Change::quiet(desk, row.clone());
        let (actor, actor_id) = who.columns();
        change.event = Some(event::Model {
            id: EventId::generate(desk.clock.as_ref()).uuid(),
            application_id: row.id,
            revision: row.revision + 1,
            at: change.row.updated_at,
            actor: actor.to_owned(),
            actor_id,
            kind: kind.to_owned(),
            from_state: Some(transition::name(row.state).to_owned()),
            to_state: transition::name(to).to_owned(),
            detail: None,
        });
        change.row.state = to;
        change.hold = Hold::of(desk, who);
        change
    }

    /// Adds a text to the event: a note, a reason.
    pub(crate) async fn say(&mut self, desk: &Desk, text: &str) -> Result<(), CaseError> {
        if let Some(event) = &mut self.event {
            let place = Place::new("event", "detail", &event.id);
            event.detail = Some(record::seal(desk, desk.store.read(), self.row.key_id.into(), place, &text).await?);
        }
        Ok(())
    }

    /// Tells beside the event by which method, and how strongly, who acts proved who they are.
    pub(crate) async fn prove(&mut self, desk: &Desk, person: &Person) -> Result<(), CaseError> {
        let (Some(event), Some(verified)) = (&self.event, person.verified()) else {
            return Ok(());
        };
        let id = EventId::generate(desk.clock.as_ref()).uuid();
        let text = history::proof(verified);
        let place = Place::new("event", "detail", &id);
        let detail = record::seal(desk, desk.store.read(), self.row.key_id.into(), place, &text).await?;
        self.proof = Some(event::Model {
            id,
            kind: history::IDENTITY.to_owned(),
            from_state: Some(event.to_state.clone()),
            detail: Some(detail),
            ..event.clone()
        });
        Ok(())
    }

    /// Puts the answers of a record into the row.
    pub(crate) async fn answers(&mut self, desk: &Desk, record: &Record) -> Result<(), CaseError> {
        let place = Place::new("application", "answers", &self.row.id);
        let sealed = record::seal(desk, desk.store.read(), self.row.key_id.into(), place, &record.answers).await?;
        self.row.answers = Some(sealed);
        Ok(())
    }

    /// Writes it all.
    ///
    /// # Errors
    /// [`CaseError::Conflict`] when somebody changed the application since it was read.
    pub(crate) async fn write(mut self, tx: &Tx) -> Result<(), CaseError> {
        self.hold.check(tx).await?;
        if !application::replace(tx, &self.row).await? {
            return Err(CaseError::Conflict("application"));
        }
        if let Some(event) = &mut self.event
            && event.detail.is_none()
        {
            // The history names the agent as long as the case is kept, whatever becomes of the authorisation.
            event.detail = self.hold.signature(tx, self.row.key_id.into(), &event.id).await?;
        }
        let events: Vec<event::Model> = self.event.into_iter().chain(self.proof).collect();
        if !events.is_empty() {
            event::insert_all(tx, events).await?;
        }
        for entry in self.entries {
            ledger::append(tx, entry).await?;
        }
        for task in self.tasks {
            outbox::put(tx, task).await?;
        }
        Ok(())
    }
}

/// Refuses an act on an older revision than the stored one before any work is done for it.
pub(crate) fn same_revision(row: &application::Model, revision: i64) -> Result<(), CaseError> {
    if row.revision == revision {
        Ok(())
    } else {
        Err(CaseError::Conflict("application"))
    }
}
