//! Notify (通知): messages to the person and the letters that carry a decision.

pub(crate) mod letter;
pub(crate) mod mail;

use std::collections::BTreeMap;

use civic::ids::{ApplicationId, KeyId, LetterId, MessageId};
use civic::{Language, roc};
use serde::{Deserialize, Serialize};
use store::Tx;
use store::outbox::{self, Task};
use store::seal::{Place, Seal};
use store::tables::message;

use crate::record::Record;
use crate::wanted;
use crate::{CaseError, Desk};

/// What is sealed of a message.
#[derive(Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// The texts, by kind and language: the first line is the subject, `{name}` stands for a word.
const TEXTS: &[(&str, &str, &str)] = &[
    (
        "received",
        include_str!("../../messages/zh-TW/received.txt"),
        include_str!("../../messages/en/received.txt"),
    ),
    (
        "correction",
        include_str!("../../messages/zh-TW/correction.txt"),
        include_str!("../../messages/en/correction.txt"),
    ),
    (
        "approved",
        include_str!("../../messages/zh-TW/approved.txt"),
        include_str!("../../messages/en/approved.txt"),
    ),
    (
        "refused",
        include_str!("../../messages/zh-TW/refused.txt"),
        include_str!("../../messages/en/refused.txt"),
    ),
    (
        "withdrawn",
        include_str!("../../messages/zh-TW/withdrawn.txt"),
        include_str!("../../messages/en/withdrawn.txt"),
    ),
    (
        "listed",
        include_str!("../../messages/zh-TW/listed.txt"),
        include_str!("../../messages/en/listed.txt"),
    ),
    (
        "listed_without_account",
        include_str!("../../messages/zh-TW/listed_without_account.txt"),
        include_str!("../../messages/en/listed_without_account.txt"),
    ),
    (
        "listed_relief",
        include_str!("../../messages/zh-TW/listed_relief.txt"),
        include_str!("../../messages/en/listed_relief.txt"),
    ),
    (
        "placed",
        include_str!("../../messages/zh-TW/placed.txt"),
        include_str!("../../messages/en/placed.txt"),
    ),
    (
        "waiting",
        include_str!("../../messages/zh-TW/waiting.txt"),
        include_str!("../../messages/en/waiting.txt"),
    ),
    (
        "account",
        include_str!("../../messages/zh-TW/account.txt"),
        include_str!("../../messages/en/account.txt"),
    ),
    (
        "stopped",
        include_str!("../../messages/zh-TW/stopped.txt"),
        include_str!("../../messages/en/stopped.txt"),
    ),
    (
        "recovery",
        include_str!("../../messages/zh-TW/recovery.txt"),
        include_str!("../../messages/en/recovery.txt"),
    ),
    (
        "confirmed",
        include_str!("../../messages/zh-TW/confirmed.txt"),
        include_str!("../../messages/en/confirmed.txt"),
    ),
    (
        "unconfirmed",
        include_str!("../../messages/zh-TW/unconfirmed.txt"),
        include_str!("../../messages/en/unconfirmed.txt"),
    ),
    (
        "correction_due",
        include_str!("../../messages/zh-TW/correction_due.txt"),
        include_str!("../../messages/en/correction_due.txt"),
    ),
    (
        "appeal_lodged",
        include_str!("../../messages/zh-TW/appeal_lodged.txt"),
        include_str!("../../messages/en/appeal_lodged.txt"),
    ),
    (
        "appeal_set_aside",
        include_str!("../../messages/zh-TW/appeal_set_aside.txt"),
        include_str!("../../messages/en/appeal_set_aside.txt"),
    ),
    (
        "appeal_forwarded",
        include_str!("../../messages/zh-TW/appeal_forwarded.txt"),
        include_str!("../../messages/en/appeal_forwarded.txt"),
    ),
    (
        "appeal_withdrawn",
        include_str!("../../messages/zh-TW/appeal_withdrawn.txt"),
        include_str!("../../messages/en/appeal_withdrawn.txt"),
    ),
];

fn text(kind: &str, language: Language) -> &'static str {
    let found = TEXTS.iter().find(|(name, _, _)| *name == kind);
    found.map_or(
        "",
        |(_, chinese, english)| if language == Language::ZhTw { chinese } else { english },
    )
}

/// Puts the words into a text. A word that is not given stays as it is, so that a test sees it.
pub(crate) fn fill(text: &str, words: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) if words.contains_key(name) => {
                out.push_str(words.get(name).map_or("", String::as_str));
                rest = tail;
            }
            _ => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// A message before it is sealed.
pub(crate) struct Draft {
    id: MessageId,
    application: ApplicationId,
    key: KeyId,
    kind: &'static str,
    language: Language,
    to: Option<String>,
    words: BTreeMap<String, String>,
    letter: Option<LetterId>,
    /// What makes the message one of a kind within its application.
    once: String,
    /// Whether there is a mail server to give it to.
    connected: bool,
}

/// A sealed message with the work that sends it.
pub(crate) struct Message {
    row: message::Model,
    task: Option<Task>,
}

impl Draft {
    /// A message of this kind to the person of the application; without an address it is kept for their own page.
    pub(crate) fn new(desk: &Desk, record: &Record, kind: &'static str, words: BTreeMap<String, String>) -> Draft {
        let language = record.row.language.parse().unwrap_or_default();
        let mut words = words;
        words.insert("service".to_owned(), record.service.meta.name.get(language).to_owned());
        words.insert("city".to_owned(), desk.city.name.get(language).to_owned());
        words.insert("phone".to_owned(), desk.city.phone.clone());
        words.insert(
            "link".to_owned(),
            format!("{}/applications/{}", desk.city.portal, record.row.id),
        );
        words.insert("date".to_owned(), roc::long(desk.today()));
        Draft {
            id: MessageId::generate(desk.clock.as_ref()),
            application: record.id(),
            key: record.row.key_id.into(),
            kind,
            language,
            to: wanted::profile(&record.service.form, &record.answers, "email"),
            words,
            letter: None,
            once: record.row.revision.to_string(),
            connected: desk.mail.is_some(),
        }
    }

    /// Seals it; `number` is the application's.
    pub(crate) async fn seal(self, tx: &Tx, seal: &Seal, number: &str) -> Result<Message, CaseError> {
        let mut words = self.words;
        words.insert("number".to_owned(), number.to_owned());
        let filled = fill(text(self.kind, self.language), &words);
        let (subject, body) = filled.split_once('\n').unwrap_or((filled.as_str(), ""));
        let reachable = self.to.is_some() && self.connected;
        let content = Content {
            to: self.to.unwrap_or_default(),
            subject: subject.trim().to_owned(),
            text: body.trim_start().to_owned(),
        };
        let plain = zeroize::Zeroizing::new(
            serde_json::to_vec(&content).map_err(|error| CaseError::corrupt("message", &error))?,
        );
        let id = self.id.uuid();
        let sealed = seal
            .seal(tx, self.key, Place::new("message", "sealed", &id), &plain)
            .await?;
        let row = message::Model {
            id,
            application_id: self.application.uuid(),
            kind: self.kind.to_owned(),
            idempotency_key: format!("{}:{}:{}", self.kind, self.application, self.once),
            sealed: Some(sealed),
            letter_id: self.letter.map(LetterId::uuid),
            status: if reachable { "queued" } else { "no_address" }.to_owned(),
            tries: 0,
            made_at: tx.now().as_microsecond(),
            sent_at: None,
        };
        let task = reachable.then(|| Task::new(mail::SEND, format!("mail:{id}"), &id));
        Ok(Message { row, task })
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
    /// Writes the message and the work that sends it.
    pub(crate) async fn write(self, tx: &Tx) -> Result<(), CaseError> {
        message::insert(tx, self.row).await?;
        if let Some(task) = self.task {
            outbox::put(tx, task).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_subject_and_a_text_in_both_languages() {
        for (kind, chinese, english) in TEXTS {
            for text in [chinese, english] {
                assert!(
                    text.lines().count() > 3 && !text.lines().next().unwrap_or_default().trim().is_empty(),
                    "{kind}"
                );
            }
        }
    }

    #[test]
    fn words_are_filled_once() {
        let words = BTreeMap::from([("a".to_owned(), "{b}".to_owned()), ("b".to_owned(), "x".to_owned())]);
        assert_eq!(fill("1{a}2{b}3{c}4{", &words), "1{b}2x3{c}4{");
    }
}
