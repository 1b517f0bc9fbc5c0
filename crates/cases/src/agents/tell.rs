//! What the principal is told of their agents: on their own page, and by mail where an address is known.

use crate::boxed;
use std::collections::BTreeMap;

use civic::ids::{ApplicationId, AuthorisationId, KeyId, NoticeId, PersonId};
use civic::{Language, roc};
use jiff::Timestamp;
use store::Tx;
use store::outbox::{self, Outcome, Task};
use store::seal::{Place, Seal};
use store::tables::channel::Kind;
use store::tables::{application, authorisation, notice, person};
use uuid::Uuid;

use super::view::{self, Names, Party};
use crate::guard::{self, Action, Who};
use crate::history::time;
use crate::notify::{Content, fill};
use crate::record::Record;
use crate::{CaseError, Desk, Person, State, people, record, wanted};

/// Kind of the work that sends a notice.
pub(crate) const SEND: &str = "notice.send";
/// Notices shown.
const SHOWN: u64 = 50;
/// Applications looked through for an address.
const LOOKED: usize = 5;

/// The texts, by kind and language: the first line is the subject, `{name}` stands for a word.
macro_rules! texts {
    ($($kind:literal),+ $(,)?) => {
        &[$((
            $kind,
            include_str!(concat!("../../messages/zh-TW/", $kind, ".txt")),
            include_str!(concat!("../../messages/en/", $kind, ".txt")),
        )),+]
    };
}

const TEXTS: &[(&str, &str, &str)] = texts!(
    "agent-offered",
    "agent-asked",
    "agent-accepted",
    "agent-declined",
    "agent-ended",
    "agent-over",
    "agent-submitted",
    "agent-data",
    "assist-password",
    "assist-begun",
);

/// The names of the powers, a line each.
const POWERS: (&str, &str) = (
    include_str!("../../messages/zh-TW/agent-powers.txt"),
    include_str!("../../messages/en/agent-powers.txt"),
);

/// What may be done and seen, in words.
fn powers(acts: &str, language: Language) -> String {
    let (chinese, english) = POWERS;
    let (names, between) = if language == Language::ZhTw {
        (chinese, "、")
    } else {
        (english, ", ")
    };
    let name = |word: &str| {
        let mut lines = names.lines().filter_map(|line| line.split_once(" = "));
        lines.find(|(one, _)| *one == word).map(|(_, name)| name)
    };
    let words = view::words(acts);
    let named: Vec<&str> = words.iter().map(|word| name(word).unwrap_or(word)).collect();
    named.join(between)
}

/// A notice before it is sealed.
pub(crate) struct Note {
    authorisation: Uuid,
    person: PersonId,
    key: KeyId,
    kind: &'static str,
    language: Language,
    to: Option<String>,
    words: BTreeMap<String, String>,
    /// What makes it one of its kind for the authorisation.
    once: String,
    /// Whether there is a mail server to give it to.
    connected: bool,
    seal: Seal,
    id: NoticeId,
}

impl Note {
    /// A word put into the text.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Note {
        self.words.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The key of an authorisation that is made in the same transaction.
    pub(super) fn under(mut self, key: KeyId) -> Note {
        self.key = key;
        self
    }

    /// A notice about one thing that is told once.
    fn keyed(mut self, thing: String) -> Note {
        self.once = thing;
        self
    }

    /// Writes the notice and the work that sends it.
    pub(crate) async fn write(self, tx: &Tx) -> Result<(), CaseError> {
        let (_, chinese, english) = TEXTS
            .iter()
            .find(|(kind, _, _)| *kind == self.kind)
            .ok_or(CaseError::NotFound("text"))?;
        let text = if self.language == Language::ZhTw {
            chinese
        } else {
            english
        };
        let filled = fill(text, &self.words);
        let (subject, body) = filled.split_once('\n').unwrap_or((filled.as_str(), ""));
        let reachable = self.to.is_some() && self.connected;
        let content = Content::mail(self.to.unwrap_or_default(), subject, body);
        let plain = zeroize::Zeroizing::new(
            serde_json::to_vec(&content).map_err(|error| CaseError::corrupt("notice", &error))?,
        );
        let id = self.id.uuid();
        let place = Place::new("notice", "sealed", &id);
        let row = notice::Model {
            id,
            authorisation_id: self.authorisation,
            person_id: self.person.uuid(),
            kind: self.kind.to_owned(),
            idempotency_key: format!("{}:{}:{}", self.kind, self.authorisation, self.once),
            sealed: Some(self.seal.seal(tx, self.key, place, &plain).await?),
            status: if reachable { "queued" } else { "no_address" }.to_owned(),
            tries: 0,
            made_at: tx.now().as_microsecond(),
            sent_at: None,
        };
        notice::insert(tx, row).await?;
        if reachable {
            outbox::put(
                tx,
                Task::new(SEND, format!("notice:{id}"), &id).lane(Kind::Email.word()),
            )
            .await?;
        }
        Ok(())
    }
}

/// A mail address as typed; nothing for an empty one.
///
/// # Errors
/// [`CaseError::Input`] for one that can't be.
pub(crate) fn address(text: &str) -> Result<Option<String>, CaseError> {
    if text.is_empty() {
        return Ok(None);
    }
    let usable = text.len() <= 254
        && text.chars().all(|c| c.is_ascii_graphic() && !"<>,;\"()".contains(c))
        && text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && !host.contains('@')
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
    if usable {
        Ok(Some(text.to_owned()))
    } else {
        Err(CaseError::Input {
            field: "email",
            problem: "unusable",
        })
    }
}

/// Where a person can be written to: the address of their account, the one they gave with an authorisation, or the one of
/// their latest application.
pub(super) async fn address_of(desk: &Desk, id: PersonId) -> Result<Option<String>, CaseError> {
    if let Some(email) = people::of(desk, id).await?.email {
        return Ok(Some(email));
    }
    for row in authorisation::of_principal(desk.store.read(), id.uuid()).await? {
        let names = view::names(desk, &view::system(desk, &row)?, &row).await?;
        if names.email.is_some() {
            return Ok(names.email);
        }
    }
    let rows = application::by_person(desk.store.read(), id.uuid()).await?;
    let live = rows.into_iter().filter(|row| row.state != State::Disposed);
    for row in live.take(LOOKED) {
        if desk.catalogue.get(&row.service).is_none() {
            continue;
        }
        let record = record::open(desk, &Who::System, Action::Notify, row).await?;
        let found = wanted::profile(&record.service.form, &record.answers, "email");
        if found.is_some() {
            let subject = guard::subject(desk, &record).await?;
            let entry = guard::entry(
                desk,
                &Who::System,
                Action::Notify,
                record.id(),
                &record.service,
                subject,
                &["email"],
            );
            desk.store
                .write(move |tx| {
                    Box::pin(async move {
                        store::ledger::append(tx, entry).await?;
                        Ok::<_, CaseError>(())
                    })
                })
                .await?;
            return Ok(found);
        }
    }
    Ok(None)
}

async fn note(
    desk: &Desk,
    row: &authorisation::Model,
    names: &Names,
    person: PersonId,
    to: Option<String>,
    kind: &'static str,
) -> Result<Note, CaseError> {
    let known = person::by_id(desk.store.read(), person.uuid()).await?;
    let language: Language = known.and_then(|row| row.language.parse().ok()).unwrap_or_default();
    let services: Vec<String> = view::words(&row.services)
        .iter()
        .map(|id| {
            desk.catalogue
                .get(id)
                .map_or_else(|| id.clone(), |service| service.meta.name.get(language).to_owned())
        })
        .collect();
    let until = row.until.parse().map_or_else(|_| row.until.clone(), roc::long);
    let words = [
        ("city", desk.city.name.get(language).to_owned()),
        ("phone", desk.city.phone.clone()),
        ("principal", names.principal.clone()),
        ("agent", names.agent.clone()),
        (
            "services",
            services.join(if language == Language::ZhTw { "、" } else { ", " }),
        ),
        ("powers", powers(&row.acts, language)),
        ("until", until),
        ("date", roc::long(desk.today())),
        ("link", format!("{}/agents", desk.city.portal)),
    ];
    Ok(Note {
        authorisation: row.id,
        person,
        key: row.key_id.into(),
        kind,
        language,
        to,
        words: words.into_iter().map(|(name, word)| (name.to_owned(), word)).collect(),
        once: row.revision.to_string(),
        connected: desk.mail.is_some(),
        seal: desk.store.seal().clone(),
        id: NoticeId::generate(desk.clock.as_ref()),
    })
}

/// A notice to the principal.
pub(super) async fn principal(
    desk: &Desk,
    row: &authorisation::Model,
    names: &Names,
    kind: &'static str,
) -> Result<Note, CaseError> {
    let person = row.principal_id.map(PersonId::from_uuid).ok_or(CaseError::Stopped)?;
    let to = match &names.email {
        Some(email) => Some(email.clone()),
        None => address_of(desk, person).await?,
    };
    note(desk, row, names, person, to, kind).await
}

/// The notice to a person who is asked to be an agent, if they have an account; whether they have is told to nobody.
pub(super) async fn asked(desk: &Desk, row: &authorisation::Model, names: &Names) -> Result<Option<Note>, CaseError> {
    let Some(lookup) = &row.agent_lookup else {
        return Ok(None);
    };
    let Some(agent) = person::by_lookup(desk.store.read(), lookup).await? else {
        return Ok(None);
    };
    let agent = people::of(desk, PersonId::from_uuid(agent.id)).await?;
    let (id, to) = (agent.id, agent.email);
    let asked = note(desk, row, names, id, to, "agent-asked").await?;
    Ok(Some(asked.with("link", &format!("{}/agent", desk.city.portal))))
}

/// The notice to the person who was the agent, when it has ended.
pub(super) async fn ended(desk: &Desk, row: &authorisation::Model, names: &Names) -> Result<Option<Note>, CaseError> {
    let (Some(_), Some(agent), Some(_)) = (&row.agent_lookup, row.agent_id, row.accepted_at) else {
        return Ok(None);
    };
    let agent = people::of(desk, PersonId::from_uuid(agent)).await?;
    let (id, to) = (agent.id, agent.email);
    let over = note(desk, row, names, id, to, "agent-over").await?;
    Ok(Some(over.with("link", &format!("{}/agent", desk.city.portal))))
}

/// The notice that an agent has handed an application in; `number` is still to be put in. Nothing when no agent acts.
pub(crate) async fn submitted(desk: &Desk, person: &Person, record: &Record) -> Result<Option<Note>, CaseError> {
    let Some((note, _)) = about(desk, person, record, "agent-submitted").await? else {
        return Ok(None);
    };
    Ok(Some(note.keyed(record.row.id.to_string())))
}

async fn about(
    desk: &Desk,
    person: &Person,
    record: &Record,
    kind: &'static str,
) -> Result<Option<(Note, String)>, CaseError> {
    let Some(acting) = person.acting() else { return Ok(None) };
    let row = authorisation::by_id(desk.store.read(), acting.id.uuid())
        .await?
        .ok_or(CaseError::Stopped)?;
    let names = view::names(desk, &view::system(desk, &row)?, &row).await?;
    let link = format!("{}/applications/{}", desk.city.portal, record.row.id);
    let note = principal(desk, &row, &names, kind).await?;
    let service = record.service.meta.name.get(note.language).to_owned();
    let note = note
        .with("service", &service)
        .with("link", &link)
        .with("agent", &acting.name);
    Ok(Some((note, link)))
}

/// Asks the principal to fetch their data from MyData into an application, because MyData is asked by the person alone;
/// at most once a day.
///
/// # Errors
/// [`CaseError::Refused`] when no agent acts who may fill it in; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn ask_for_data(desk: &Desk, person: &Person, id: ApplicationId) -> Result<(), CaseError> {
    let record = record::own(desk, person, id, Action::Fill).await?;
    let Some((note, link)) = about(desk, person, &record, "agent-data").await? else {
        return Err(CaseError::NotFound("authorisation"));
    };
    let note = note
        .with("link", &format!("{link}/mydata"))
        .keyed(format!("{}:{}", record.row.id, desk.today()));
    let hold = super::Hold::of(desk, &person.who());
    let told = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                hold.check(tx).await?;
                note.write(tx).await
            })
        })
        .await;
    match told {
        Err(CaseError::Store(error)) if error.is_duplicate() => Ok(()),
        other => other,
    }
}

/// Sends the notice of this id.
///
/// # Errors
/// Temporary ones, after which the work is tried again.
pub(crate) async fn send(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let (Some(mailer), Some(row)) = (desk.mail.as_ref(), notice::by_id(desk.store.read(), id).await?) else {
        return Ok(Outcome::Done);
    };
    let (Some(sealed), "queued") = (&row.sealed, row.status.as_str()) else {
        return Ok(Outcome::Done);
    };
    let Some(about) = authorisation::by_id(desk.store.read(), row.authorisation_id).await? else {
        return Ok(Outcome::Done);
    };
    let grant = view::system(desk, &about)?;
    let place = Place::new("notice", "sealed", &row.id);
    let content: Content = record::unseal(desk, &grant, about.key_id.into(), place, sealed).await?;
    let name = id.to_string();
    let mail = exchange::mail::Mail {
        to: &content.to,
        subject: &content.subject,
        text: &content.text,
        html: None,
        id: &name,
        at: time(row.made_at),
    };
    let status = match mailer.send(&mail).await {
        Ok(()) => "sent",
        Err(error) if error.may_retry() => {
            desk.store
                .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(notice::count_try(tx, id).await?) }))
                .await?;
            return Err(CaseError::Outside {
                party: "mail server",
                problem: error.to_string(),
            });
        }
        Err(_) => "failed",
    };
    let at = desk.now().as_microsecond();
    desk.store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(notice::finish(tx, id, status, at).await?) }))
        .await?;
    Ok(Outcome::Done)
}

/// A notice as the person reads it on their page.
#[derive(Clone, PartialEq, Eq)]
pub struct NoticeView {
    /// What it is about.
    pub authorisation: AuthorisationId,
    /// When it was made.
    pub at: Timestamp,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
}

/// The newest notices of a person about authorisations they gave or hold.
///
/// # Errors
/// [`CaseError::Refused`] to somebody who acts for another; the store's.
#[boxed]
pub async fn notices(desk: &Desk, person: &Person) -> Result<Vec<NoticeView>, CaseError> {
    guard::profile(desk, &person.who(), person.id, "uses")?;
    let rows = notice::of_person(desk.store.read(), person.id.uuid(), SHOWN).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let (Some(sealed), Some(about)) = (
            &row.sealed,
            authorisation::by_id(desk.store.read(), row.authorisation_id).await?,
        ) else {
            continue;
        };
        let grant = if about.principal_id == Some(person.id.uuid()) {
            view::own(desk, person, &about, "entrust")
        } else {
            view::grant(desk, &Party::Person(person), &about, "entrust").await?
        };
        let place = Place::new("notice", "sealed", &row.id);
        let content: Content = record::unseal(desk, &grant?, about.key_id.into(), place, sealed).await?;
        views.push(NoticeView {
            authorisation: about.id.into(),
            at: time(row.made_at),
            subject: content.subject,
            text: content.text,
        });
    }
    Ok(views)
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
    fn every_power_has_a_name_in_both_languages() {
        for power in crate::agents::Power::ALL {
            for language in [Language::ZhTw, Language::En] {
                let name = powers(power.word(), language);
                assert!(!name.is_empty() && name != power.word(), "{power:?}");
            }
        }
    }

    #[test]
    fn addresses_that_cannot_be_are_refused() {
        for good in ["a@b.tw", "anna.lin+1@city.example"] {
            assert!(matches!(address(good), Ok(Some(_))), "{good}");
        }
        assert!(matches!(address(""), Ok(None)));
        for bad in [
            "a",
            "a@b",
            "@b.tw",
            "a@@b.tw",
            "a b@c.tw",
            "a@b.tw\nBcc: c@d.tw",
            "a@.tw",
            "<a@b.tw>",
            "林@b.tw",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
