//! Notify (通知): messages to the person and the letters that carry a decision.
//!
//! One message is told on every channel that the person chose, and by mail where the form of the application gave an address.
//! It is written with its deliveries and the work that sends them, in the transaction that it follows from.

pub(crate) mod deliver;
pub(crate) mod letter;
pub(crate) mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use civic::ids::{ApplicationId, DeliveryId, KeyId, LetterId, MessageId};
use civic::{Clock, Language, Text, roc};
use serde::{Deserialize, Serialize};
use services::Service;
use store::Tx;
use store::outbox::{self, Task};
use store::seal::{Place, Seal};
use store::tables::channel::{self, Kind};
use store::tables::delivery::{self, State};
use store::tables::message;
use uuid::Uuid;

use crate::channels::lookup;
use crate::record::Record;
use crate::wanted;
use crate::{CaseError, Desk};

pub(crate) use text::{Told, fill};

/// What is sealed of a message.
#[derive(Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) short: String,
    /// The same in the languages of the person's channels, where they are others.
    #[serde(default)]
    pub(crate) others: BTreeMap<Language, Told>,
}

impl Content {
    /// A mail alone.
    pub(crate) fn mail(to: String, subject: &str, text: &str) -> Content {
        Content {
            to,
            subject: subject.trim().to_owned(),
            text: text.trim_start().to_owned(),
            short: String::new(),
            others: BTreeMap::new(),
        }
    }

    /// What is told in a language; in that of the message where there is no other.
    pub(crate) fn told(&self, language: Language) -> Told {
        self.others.get(&language).cloned().unwrap_or_else(|| Told {
            subject: self.subject.clone(),
            text: self.text.clone(),
            short: self.short.clone(),
        })
    }
}

/// A message before it is sealed.
pub(crate) struct Draft {
    id: MessageId,
    application: ApplicationId,
    /// Whose channels it goes to.
    person: Option<Uuid>,
    key: KeyId,
    kind: &'static str,
    language: Language,
    /// Address that the form gave.
    to: Option<String>,
    words: BTreeMap<String, String>,
    letter: Option<LetterId>,
    /// What makes the message one of a kind within its application.
    once: String,
    /// Kinds of channels that the city can send on.
    open: Vec<Kind>,
    service: Arc<Service>,
    city: Text,
    clock: Arc<dyn Clock>,
}

/// A sealed message with its deliveries and the work that sends them.
pub(crate) struct Message {
    row: message::Model,
    deliveries: Vec<delivery::Model>,
}

impl Draft {
    /// A message of this kind to the person of the application; without address and channel it is kept for their own page.
    pub(crate) fn new(desk: &Desk, record: &Record, kind: &'static str, words: BTreeMap<String, String>) -> Draft {
        let language = record.row.language.parse().unwrap_or_default();
        let mut words = words;
        words.insert("phone".to_owned(), desk.city.phone.clone());
        words
            .entry("link".to_owned())
            .or_insert_with(|| format!("{}/applications/{}", desk.city.portal, record.row.id));
        words.insert("date".to_owned(), roc::long(desk.today()));
        Draft {
            id: MessageId::generate(desk.clock.as_ref()),
            application: record.id(),
            person: record.row.person_id,
            key: record.row.key_id.into(),
            kind,
            language,
            to: wanted::profile(&record.service.form, &record.answers, "email"),
            words,
            letter: None,
            once: record.row.revision.to_string(),
            open: Kind::ALL.into_iter().filter(|kind| desk.can_send(*kind)).collect(),
            service: Arc::clone(&record.service),
            city: desk.city.name.clone(),
            clock: Arc::clone(&desk.clock),
        }
    }

    /// Seals it; `number` is the application's.
    pub(crate) async fn seal(self, tx: &Tx, seal: &Seal, number: &str) -> Result<Message, CaseError> {
        let channels = match self.person {
            Some(person) => channel::confirmed(tx, &[person]).await?,
            None => Vec::new(),
        };
        self.sealed(tx, seal, number, &channels).await
    }

    fn told(&self, language: Language, number: &str) -> Told {
        let mut words = self.words.clone();
        words.insert("service".to_owned(), self.service.meta.name.get(language).to_owned());
        words.insert("city".to_owned(), self.city.get(language).to_owned());
        words.insert("number".to_owned(), number.to_owned());
        text::told(self.kind, language, &self.service.messages, &words)
    }

    /// Seals it for those of these channels that are the person's.
    async fn sealed(
        self,
        tx: &Tx,
        seal: &Seal,
        number: &str,
        channels: &[channel::Model],
    ) -> Result<Message, CaseError> {
        let (id, at) = (self.id.uuid(), tx.now().as_microsecond());
        let by_form = self.to.as_deref().filter(|_| self.open.contains(&Kind::Email));
        let same = by_form.map(|to| lookup(seal, Kind::Email, to));
        let chosen: Vec<&channel::Model> = channels
            .iter()
            .filter(|channel| Some(channel.person_id) == self.person && self.open.contains(&channel.kind))
            // nobody gets one mail twice because they gave one address in two places
            .filter(|channel| same.as_ref().is_none_or(|same| channel.lookup.as_slice() != same))
            .collect();
        let row = |id, channel, channel_id| delivery::Model {
            id,
            message_id: self.id.uuid(),
            application_id: self.application.uuid(),
            channel,
            channel_id,
            state: State::Queued,
            tries: 0,
            again: 0,
            problem: None,
            reason: None,
            made_at: at,
            tried_at: None,
            next_at: None,
            sent_at: None,
        };
        let mut deliveries: Vec<delivery::Model> = by_form.iter().map(|_| row(id, Kind::Email, None)).collect();
        for channel in &chosen {
            let id = DeliveryId::generate(self.clock.as_ref()).uuid();
            deliveries.push(row(id, channel.kind, Some(channel.id)));
        }
        let told = self.told(self.language, number);
        let languages = chosen.iter().filter_map(|channel| channel.language.parse().ok());
        let others = languages
            .filter(|language: &Language| *language != self.language)
            .map(|language| (language, self.told(language, number)))
            .collect();
        let content = Content {
            to: self.to.clone().unwrap_or_default(),
            subject: told.subject,
            text: told.text,
            short: told.short,
            others,
        };
        let plain = zeroize::Zeroizing::new(
            serde_json::to_vec(&content).map_err(|error| CaseError::corrupt("message", &error))?,
        );
        let sealed = seal
            .seal(tx, self.key, Place::new("message", "sealed", &id), &plain)
            .await?;
        let status = if deliveries.is_empty() { "no_address" } else { "queued" };
        let row = message::Model {
            id,
            application_id: self.application.uuid(),
            kind: self.kind.to_owned(),
            idempotency_key: format!("{}:{}:{}", self.kind, self.application, self.once),
            sealed: Some(sealed),
            letter_id: self.letter.map(LetterId::uuid),
            status: status.to_owned(),
            tries: 0,
            made_at: at,
            sent_at: None,
        };
        Ok(Message { row, deliveries })
    }

    /// A message about one thing of the application, such as a payment, that is told once.
    pub(crate) fn keyed(mut self, thing: impl std::fmt::Display) -> Draft {
        self.once = thing.to_string();
        self
    }

    /// The letter that goes with it.
    pub(crate) fn with(mut self, letter: LetterId) -> Draft {
        self.letter = Some(letter);
        self
    }
}

impl Message {
    /// Whether it goes anywhere but to the person's own page.
    pub(crate) fn has_ways(&self) -> bool {
        !self.deliveries.is_empty()
    }

    /// Writes the message, its deliveries and the work that sends them.
    pub(crate) async fn write(self, tx: &Tx) -> Result<(), CaseError> {
        write(tx, vec![self]).await
    }
}

/// The work that sends a delivery; one for each time that somebody has it sent again.
pub(crate) fn task(row: &delivery::Model) -> Task {
    let key = format!("{}:{}:{}", deliver::SEND, row.id, row.again);
    Task::new(deliver::SEND, key, &row.id).lane(row.channel.word())
}

async fn write(tx: &Tx, messages: Vec<Message>) -> Result<(), CaseError> {
    let (rows, deliveries): (Vec<_>, Vec<_>) = messages
        .into_iter()
        .map(|message| (message.row, message.deliveries))
        .unzip();
    let deliveries: Vec<delivery::Model> = deliveries.into_iter().flatten().collect();
    let tasks = deliveries.iter().map(task).collect();
    message::insert_all(tx, rows).await?;
    delivery::insert_all(tx, deliveries).await?;
    outbox::put_all(tx, tasks).await?;
    Ok(())
}

/// Seals and writes many messages, each with the number of its application: few statements for all of them together.
pub(crate) async fn write_all(tx: &Tx, seal: &Seal, drafts: Vec<(Draft, String)>) -> Result<(), CaseError> {
    let persons: Vec<Uuid> = drafts.iter().filter_map(|(draft, _)| draft.person).collect();
    let channels = channel::confirmed(tx, &persons).await?;
    let mut messages = Vec::with_capacity(drafts.len());
    for (draft, number) in drafts {
        messages.push(draft.sealed(tx, seal, &number, &channels).await?);
    }
    write(tx, messages).await
}
