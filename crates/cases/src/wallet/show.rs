//! A card shown as evidence: asked for on the page of a draft, shown by the wallet, checked to its status list, turned into answers
//! with their source.

use crate::boxed;
use civic::Language;
use civic::ids::{ApplicationId, ConsentId, EvidenceId, WalletRequestId};
use exchange::wallet::status_list::Purpose;
use exchange::wallet::verifier::{Card, Pending, Presentation, Verifier, VerifierError, Wanted};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use services::wallet::ShownCard;
use sha2::{Digest as _, Sha256};
use store::access::Grant;
use store::seal::Place;
use store::tables::wallet_request::{self as request, Kind, Model, State};
use store::tables::{application, consent, evidence, wallet_seen};

use super::{digest, not_too_many, outside, taken, verifier};
use crate::change::Change;
use crate::collect::mydata::suspicious;
use crate::collect::{agreed, still_draft};
use crate::guard::{self, Action, Who};
use crate::history::time;
use crate::people::Person;
use crate::record::{self, Record};
use crate::{CaseError, Desk};

/// Rounds in which an answer saved meanwhile is merged with what was shown.
const ROUNDS: usize = 5;

/// How far it is with a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Showing {
    /// Nobody asked yet.
    NotUsed,
    /// The wallet is waited for.
    Waiting {
        /// The address that opens the wallet.
        link: String,
        /// When it is too late.
        until: Timestamp,
    },
    /// The wallet was there; what it showed is being checked.
    Checking,
    /// The values are in the form.
    Shown,
    /// It ended without a card; a short word for the page's text.
    Ended(String),
}

impl Showing {
    /// A word for how far it is, which the page compares while it waits.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Showing::NotUsed => "not-used",
            Showing::Waiting { .. } => "waiting",
            Showing::Checking => "checking",
            Showing::Shown => "shown",
            Showing::Ended(_) => "ended",
        }
    }
}

/// What became of a wallet's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// Taken: the card's values are in the form.
    Taken,
    /// Heard: the person did not show a card.
    Noted,
    /// It fits nothing that was asked, or is not to be believed.
    Refused,
}

/// What is kept of a request.
#[derive(Serialize, Deserialize)]
struct Kept {
    pending: Pending,
    link: String,
}

/// The place of what is kept of a request or an offer.
pub(super) fn place(id: &uuid::Uuid) -> Place<'_> {
    Place::new("wallet_request", "sealed", id)
}

/// The card of a draft that the person may show.
fn card<'a>(desk: &'a Desk, service: &'a services::Service, card: &str) -> Result<&'a ShownCard, CaseError> {
    let mut cards = taken(desk, service).into_iter();
    cards
        .find(|one| one.credential_type == card)
        .ok_or(CaseError::NotFound("card"))
}

/// Begins to ask for a card: notes what the person agreed to. What was begun before for this card ends.
///
/// # Errors
/// [`CaseError::NotFound`] for a card that the service does not take; [`CaseError::Illegal`] after submission;
/// [`CaseError::Refused`] for who is not the person themself; [`CaseError::Input`] for too many in an hour; the store's.
#[boxed]
pub async fn begin(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    credential_type: &str,
    language: Language,
) -> Result<(), CaseError> {
    let record = record::own(desk, person, id, Action::Wallet).await?;
    still_draft(&record.row)?;
    if !agreed(desk, id).await? {
        return Err(CaseError::Incomplete(vec!["notice".to_owned()]));
    }
    let card = card(desk, &record.service, credential_type)?;
    let (Some(wallet), Some(verifier)) = (&desk.wallet, verifier(desk)) else {
        return Err(CaseError::NotFound("card"));
    };
    not_too_many(desk, record.row.id).await?;
    let wanted = [Wanted {
        credential_type: card.credential_type.clone(),
        claims: card.claims(),
    }];
    let purpose = record.service.meta.name.get(language).to_owned();
    let now = desk.now();
    let (link, pending) = verifier
        .begin(&wanted, &purpose, &wallet.random, now)
        .map_err(outside)?;
    let row_id = WalletRequestId::generate(desk.clock.as_ref()).uuid();
    let lookup = digest(&pending.state);
    let until = verifier.until(&pending).as_microsecond();
    let kept = Kept { pending, link };
    let row = Model {
        id: row_id,
        kind: Kind::Show,
        application_id: id.uuid(),
        credential_type: card.credential_type.clone(),
        state: State::Waiting,
        lookup,
        token: None,
        sealed: record::seal(desk, desk.store.read(), record.row.key_id.into(), place(&row_id), &kept).await?,
        failure: None,
        started_at: now.as_microsecond(),
        until,
        ended_at: None,
        revision: 1,
    };
    let resources = card.claims().join(" ");
    let consent = consent::Model {
        id: ConsentId::generate(desk.clock.as_ref()).uuid(),
        person_id: person.id.uuid(),
        application_id: id.uuid(),
        kind: "wallet".to_owned(),
        digest: hex::encode(Sha256::digest(format!("{} {resources}", card.credential_type))),
        language: language.tag().to_owned(),
        resources: card.credential_type.clone(),
        shown_at: now.as_microsecond(),
        agreed_at: now.as_microsecond(),
        withdrawn_at: None,
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                request::end_open(tx, Kind::Show, row.application_id, &row.credential_type, row.started_at).await?;
                request::insert(tx, row).await?;
                consent::insert(tx, consent).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
}

/// How far it is with a card, by its newest request.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Refused`] for who is not the person themself; the store's.
#[boxed]
pub async fn showing(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    credential_type: &str,
) -> Result<Showing, CaseError> {
    let application = record::row(desk, id).await?;
    if application.person_id != Some(person.id.uuid()) {
        return Err(CaseError::NotFound("application"));
    }
    let service = desk.service(&application.service)?;
    let grant = guard::case(desk, &person.who(), Action::Wallet, &application, service)?;
    let Some(row) = request::newest(desk.store.read(), Kind::Show, id.uuid(), credential_type).await? else {
        return Ok(Showing::NotUsed);
    };
    let is_over = desk.now() > time(row.until);
    Ok(match row.state {
        State::Waiting | State::Taken if is_over => Showing::Ended("too-late".to_owned()),
        State::Waiting => Showing::Waiting {
            link: kept(desk, &grant, &application, &row).await?.link,
            until: time(row.until),
        },
        State::Taken => Showing::Checking,
        State::Done => Showing::Shown,
        State::Ended => Showing::Ended(row.failure.clone().unwrap_or_default()),
    })
}

async fn kept(desk: &Desk, grant: &Grant, application: &application::Model, row: &Model) -> Result<Kept, CaseError> {
    record::unseal(desk, grant, application.key_id.into(), place(&row.id), &row.sealed).await
}

/// The signed request for a wallet that followed the link; nothing where there is none, or not any more.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn request_object(desk: &Desk, state: &str) -> Result<Option<String>, CaseError> {
    let Some(verifier) = verifier(desk) else {
        return Ok(None);
    };
    let found = request::by_lookup(desk.store.read(), Kind::Show, &digest(state)).await?;
    let Some(row) = found.filter(|row| row.state == State::Waiting) else {
        return Ok(None);
    };
    let application = record::row(desk, ApplicationId::from_uuid(row.application_id)).await?;
    let service = desk.service(&application.service)?;
    let grant = guard::case(desk, &Who::System, Action::Import, &application, service)?;
    let kept = kept(desk, &grant, &application, &row).await?;
    Ok(verifier.request_object(&kept.pending, desk.now()).ok())
}

/// Takes what a wallet posted. Every request is answered once, whatever came of it.
///
/// # Errors
/// The store's; everything else is an answer.
#[boxed]
pub async fn answered(desk: &Desk, body: &[u8]) -> Result<Answered, CaseError> {
    let Some(verifier) = verifier(desk) else {
        return Ok(Answered::Refused);
    };
    let row = match Verifier::state_of(body) {
        Some(state) => request::by_lookup(desk.store.read(), Kind::Show, &digest(&state)).await?,
        None => None,
    };
    let Some(row) = row else {
        suspicious(desk, "wallet.response", None, "it names no request that we began").await?;
        return Ok(Answered::Refused);
    };
    let case = row.application_id;
    let row = match row.state {
        State::Waiting => taken_out(desk, row).await?,
        _ => None,
    };
    let Some(row) = row else {
        suspicious(
            desk,
            "wallet.replayed",
            Some(case),
            "a second answer to a request, or one that came after its end",
        )
        .await?;
        return Ok(Answered::Refused);
    };
    let application = record::row(desk, ApplicationId::from_uuid(case)).await?;
    if application.state != crate::State::Draft {
        return end(desk, row, "closed").await.map(|()| Answered::Refused);
    }
    let record = record::open(desk, &Who::System, Action::Import, application).await?;
    let kept = kept(desk, &record.grant, &record.row, &row).await?;
    let presented = match verifier.read_response(body, &kept.pending, desk.now()) {
        Ok(presented) => presented,
        Err(error) => return refuse(desk, row, &error).await,
    };
    match verifier.confirm(&presented, desk.now()).await {
        Ok(presentation) => take_over(desk, record, row, presentation).await,
        Err(error) => refuse(desk, row, &error).await,
    }
}

/// Marks a request as answered before anything of the answer is looked at; nothing when another answer was faster.
async fn taken_out(desk: &Desk, row: Model) -> Result<Option<Model>, CaseError> {
    let mut next = row;
    next.state = State::Taken;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let was_first = request::replace(tx, &next).await?;
                next.revision += 1;
                Ok::<_, CaseError>(was_first.then_some(next))
            })
        })
        .await
}

async fn end(desk: &Desk, row: Model, failure: &str) -> Result<(), CaseError> {
    let mut next = row;
    next.state = State::Ended;
    next.failure = Some(failure.to_owned());
    next.ended_at = Some(desk.now().as_microsecond());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                request::replace(tx, &next).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
}

/// The word of an error for the page's text, and whether it is nobody's fault.
fn word(error: &VerifierError) -> (&'static str, bool) {
    match error {
        VerifierError::Denied(_) => ("declined", true),
        VerifierError::TooLate => ("too-late", true),
        VerifierError::UnknownStatus(_) => ("status", false),
        VerifierError::Issuer => ("issuer", false),
        VerifierError::OutOfDate => ("expired", false),
        VerifierError::Status(Purpose::Revocation) => ("revoked", false),
        VerifierError::Status(Purpose::Suspension) => ("suspended", false),
        VerifierError::Holder => ("holder", false),
        _ => ("not-genuine", false),
    }
}

async fn refuse(desk: &Desk, row: Model, error: &VerifierError) -> Result<Answered, CaseError> {
    let (word, is_harmless) = word(error);
    if !is_harmless {
        suspicious(desk, "wallet.refused", Some(row.application_id), &error.to_string()).await?;
    }
    end(desk, row, word).await?;
    Ok(match error {
        VerifierError::Denied(_) => Answered::Noted,
        _ => Answered::Refused,
    })
}

/// Turns a believed card into evidence and answers. An answer saved meanwhile by the person stands.
async fn take_over(
    desk: &Desk,
    mut record: Record,
    row: Model,
    presentation: Presentation,
) -> Result<Answered, CaseError> {
    let reading = desk.catalogue.card(&row.credential_type);
    let (Some(reading), Some(card)) = (reading, presentation.cards.first()) else {
        return end(desk, row, "closed").await.map(|()| Answered::Refused);
    };
    let owner = record.row.person_id.ok_or(CaseError::NotFound("person"))?;
    let person = crate::people::of(desk, owner.into()).await?;
    let is_own = reading
        .national_id(&card.claims)
        .is_some_and(|found| found.reveal() == person.national_id.reveal());
    if !is_own {
        let what = "the card is another person's than who applies";
        suspicious(desk, "wallet.person", Some(row.application_id), what).await?;
        return end(desk, row, "person").await.map(|()| Answered::Refused);
    }
    let now = desk.now();
    let mut done = row.clone();
    done.state = State::Done;
    done.ended_at = Some(now.as_microsecond());
    for _ in 0..ROUNDS {
        let form = &record.service.form;
        let fields = reading.fill(form, &mut record.answers, &card.claims, &card.issuer_name, now);
        let mut change = Change::note(desk, &Who::System, &record.row, "wallet_shown");
        change.answers(desk, &record).await?;
        let names: Vec<&str> = fields.iter().map(String::as_str).collect();
        let entry = guard::entry(
            desk,
            &Who::System,
            Action::Wallet,
            record.id(),
            &record.service,
            Some(person.lookup),
            &names,
        );
        change.entries.push(entry);
        let evidence = evidence(desk, &record, card).await?;
        let (closing, seen) = (done.clone(), presentation.remember.clone());
        let written = desk
            .store
            .write(move |tx| {
                Box::pin(async move {
                    change.write(tx).await?;
                    evidence::insert(tx, vec![evidence]).await?;
                    let seen = wallet_seen::Model {
                        key: seen.key,
                        until: seen.until.as_microsecond(),
                    };
                    wallet_seen::insert(tx, seen).await?;
                    match request::replace(tx, &closing).await? {
                        true => Ok(()),
                        false => Err(CaseError::Conflict("wallet")),
                    }
                })
            })
            .await;
        match written {
            Ok(()) => return Ok(Answered::Taken),
            // the person saved a page in this moment
            Err(CaseError::Conflict("application")) => {
                let fresh = record::row(desk, record.id()).await?;
                if fresh.state != crate::State::Draft {
                    return end(desk, row, "closed").await.map(|()| Answered::Refused);
                }
                record = record::open(desk, &Who::System, Action::Import, fresh).await?;
            }
            Err(CaseError::Store(error)) if error.is_duplicate() => {
                let what = "an answer that was taken before";
                suspicious(desk, "wallet.replayed", Some(row.application_id), what).await?;
                return end(desk, row, "not-genuine").await.map(|()| Answered::Refused);
            }
            Err(error) => return Err(error),
        }
    }
    Err(CaseError::Conflict("application"))
}

/// What is kept of a card as evidence.
#[derive(Serialize)]
struct Evidence<'a> {
    issuer: &'a str,
    id: Option<&'a str>,
    claims: &'a std::collections::BTreeMap<String, serde_json::Value>,
}

async fn evidence(desk: &Desk, record: &Record, card: &Card) -> Result<evidence::Model, CaseError> {
    let id = EvidenceId::generate(desk.clock.as_ref()).uuid();
    let said = Evidence {
        issuer: &card.issuer,
        id: card.id.as_deref(),
        claims: &card.claims,
    };
    let bytes = serde_json::to_vec(&said).map_err(|error| CaseError::corrupt("evidence", &error))?;
    let place = Place::new("evidence", "sealed", &id);
    Ok(evidence::Model {
        id,
        application_id: record.row.id,
        transaction_id: None,
        resource: card.credential_type.clone(),
        status: "received".to_owned(),
        digest: hex::encode(Sha256::digest(&bytes)),
        signer: Some(card.issuer_name.clone()),
        issued_at: None,
        received_at: desk.now().as_microsecond(),
        sealed: Some(record::seal(desk, desk.store.read(), record.row.key_id.into(), place, &said).await?),
    })
}
