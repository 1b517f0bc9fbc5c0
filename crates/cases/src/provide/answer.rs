//! One call of the platform, from its headers to the answer.

use std::collections::BTreeMap;

use civic::ids::{FileId, PersonId};
use exchange::mydata::Verification;
use exchange::mydata::provider::{Request, RequestError};
use jiff::{SignedDuration, Timestamp};
use services::offered::Offered;
use store::ledger;
use store::outbox::{self, Task};
use store::seal::Place;
use store::tables::mydata_transfer::{self as table, Model, State};
use store::tables::person;

use super::{MAKE, content, of_person, pack, provider};
use crate::collect::mydata::suspicious;
use crate::history::time;
use crate::{CaseError, Desk, record};

/// Least wait that is told.
const LEAST: i64 = 10;

/// What the platform is answered.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// 200: the signed package.
    Package(Vec<u8>),
    /// 204: the city has nothing of this person.
    Nothing,
    /// 429: it is being made; call again after this time, with the same transaction.
    Later(SignedDuration),
    /// 400: the call can't be read.
    Malformed,
    /// 401: the token is dead, or another data set's.
    Unauthorised,
    /// 403: the citizen was verified too weakly for this data set, or the transaction is another person's.
    Forbidden,
    /// 404: the city offers no such data set.
    Unknown,
    /// 503: the platform could not be asked about the token.
    Unavailable,
}

impl Answer {
    /// Its HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Answer::Package(_) => 200,
            Answer::Nothing => 204,
            Answer::Later(_) => 429,
            Answer::Malformed => 400,
            Answer::Unauthorised => 401,
            Answer::Forbidden => 403,
            Answer::Unknown => 404,
            Answer::Unavailable => 503,
        }
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({})", self.status())
    }
}

/// Answers a call for a data set.
///
/// # Errors
/// [`CaseError::Outside`] where the city is not configured as data provider; the store's.
pub async fn answer<'a>(
    desk: &Desk,
    resource_id: &str,
    header: impl Fn(&str) -> Option<&'a str>,
) -> Result<Answer, CaseError> {
    let provider = provider(desk)?;
    let Some(offered) = desk.catalogue.offered(resource_id) else {
        return Ok(Answer::Unknown);
    };
    if !provider.config().resources.contains_key(resource_id) {
        return Ok(Answer::Unknown);
    }
    let names: Vec<&str> = offered.parameters.iter().map(|one| one.name.as_str()).collect();
    let request = match provider.read(header, &names) {
        Ok(request) => request,
        Err(error) => {
            suspicious(desk, "mydata.provide", None, &error.to_string()).await?;
            return Ok(match error {
                RequestError::Token => Answer::Unauthorised,
                RequestError::Transaction | RequestError::Parameter(_) => Answer::Malformed,
            });
        }
    };
    let earlier = table::by_id(desk.store.read(), request.transaction_uid).await?;
    let call = Call {
        offered,
        request: &request,
        earlier,
    };
    let verified = match provider.introspect(resource_id, &request.token).await {
        Ok(Some(verified)) => verified,
        Ok(None) => {
            suspicious(desk, "mydata.provide", None, "the platform does not know the token").await?;
            return call.refuse(desk, None, Answer::Unauthorised).await;
        }
        Err(error) => {
            tracing::warn!(%error, "the MyData platform could not be asked about a token");
            return Ok(Answer::Unavailable);
        }
    };
    if verified.level().is_none_or(|level| level > offered.assurance) {
        return call.refuse(desk, Some(verified), Answer::Forbidden).await;
    }
    let holder = match provider.holder(&request.token).await {
        Ok(Some(holder)) => holder,
        Ok(None) => return call.refuse(desk, Some(verified), Answer::Unauthorised).await,
        Err(error) => {
            tracing::warn!(%error, "the MyData platform could not be asked whose a token is");
            return Ok(Answer::Unavailable);
        }
    };
    let lookup = desk.store.seal().lookup("national_id", holder.national_id.reveal());
    let known = person::by_lookup(desk.store.read(), &lookup).await?;
    if let Some(earlier) = &call.earlier
        && (earlier.resource_id != resource_id || earlier.person_id != known.as_ref().map(|row| row.id))
    {
        suspicious(
            desk,
            "mydata.provide",
            None,
            "a transaction came again for another person or data set",
        )
        .await?;
        return Ok(Answer::Forbidden);
    }
    match known {
        None => call.nothing(desk, verified, None).await,
        Some(known) if offered.minutes == 0 => call.at_once(desk, verified, &known).await,
        Some(known) => call.later(desk, verified, &known).await,
    }
}

struct Call<'a> {
    offered: &'a Offered,
    request: &'a Request,
    /// The transfer of this transaction, where the platform called before.
    earlier: Option<Model>,
}

impl Call<'_> {
    /// The row of this call, one try further.
    fn row(&self, desk: &Desk, verified: Option<Verification>, answer: &Answer, state: State) -> Model {
        let now = desk.now().as_microsecond();
        let mut row = self.earlier.clone().unwrap_or_else(|| Model {
            id: self.request.transaction_uid,
            resource_id: self.offered.resource_id.clone(),
            person_id: None,
            state,
            status: 0,
            verification: None,
            parameters: None,
            file_id: None,
            size: 0,
            tries: 0,
            asked_at: now,
            ready_at: None,
            answered_at: now,
            revision: 0,
        });
        row.state = state;
        row.status = i32::from(answer.status());
        row.tries = row.tries.saturating_add(1);
        row.answered_at = now;
        row.verification = verified.map_or(row.verification, |verified| Some(verified.word().to_owned()));
        row
    }

    /// Keeps the row of this call, with what belongs to it.
    async fn keep(
        &self,
        desk: &Desk,
        row: Model,
        entries: Vec<ledger::Entry>,
        task: Option<Task>,
    ) -> Result<(), CaseError> {
        let is_new = self.earlier.is_none();
        desk.store
            .write(move |tx| {
                Box::pin(async move {
                    if is_new {
                        let mut row = row;
                        row.revision = 1;
                        table::insert(tx, row).await?;
                    } else if !table::replace(tx, &row).await? {
                        return Err(CaseError::Conflict("transfer"));
                    }
                    for entry in entries {
                        ledger::append(tx, entry).await?;
                    }
                    if let Some(task) = task {
                        outbox::put(tx, task).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn refuse(&self, desk: &Desk, verified: Option<Verification>, answer: Answer) -> Result<Answer, CaseError> {
        // what was given or is being made stays as it is: a stranger with the same transaction changes nothing
        if self.earlier.is_none() {
            let row = self.row(desk, verified, &answer, State::Refused);
            self.keep(desk, row, Vec::new(), None).await?;
        }
        Ok(answer)
    }

    async fn nothing(
        &self,
        desk: &Desk,
        verified: Verification,
        known: Option<(&person::Model, Vec<ledger::Entry>)>,
    ) -> Result<Answer, CaseError> {
        let mut row = self.row(desk, Some(verified), &Answer::Nothing, State::Nothing);
        let (person, entries) = known.unzip();
        row.person_id = person.map(|known| known.id);
        self.keep(desk, row, entries.unwrap_or_default(), None).await?;
        Ok(Answer::Nothing)
    }

    async fn at_once(&self, desk: &Desk, verified: Verification, known: &person::Model) -> Result<Answer, CaseError> {
        let (bytes, entries) = content(desk, self.offered, known, &self.request.parameters).await?;
        let Some(bytes) = bytes else {
            return self.nothing(desk, verified, Some((known, entries))).await;
        };
        let answer = Answer::Package(pack(desk, self.offered, bytes).await?);
        let mut row = self.row(desk, Some(verified), &answer, State::Sent);
        row.person_id = Some(known.id);
        row.size = size(&answer);
        self.keep(desk, row, entries, None).await?;
        Ok(answer)
    }

    /// A data set that takes its time: the first call has it made, the calls after it are told to wait until it is there.
    async fn later(&self, desk: &Desk, verified: Verification, known: &person::Model) -> Result<Answer, CaseError> {
        let person = PersonId::from_uuid(known.id);
        let now = desk.now();
        let Some(earlier) = &self.earlier else {
            let wait = SignedDuration::from_mins(i64::from(self.offered.minutes));
            let answer = Answer::Later(wait);
            let ready = now.checked_add(wait).unwrap_or(now);
            let mut row = self.row(desk, Some(verified), &answer, State::Preparing);
            row.person_id = Some(known.id);
            row.ready_at = Some(ready.as_microsecond());
            if !self.request.parameters.is_empty() {
                let place = Place::new("mydata_transfer", "parameters", &row.id);
                let parameters: &BTreeMap<String, String> = &self.request.parameters;
                let sealed = record::seal(desk, desk.store.read(), known.key_id.into(), place, parameters).await?;
                row.parameters = Some(sealed);
            }
            let task = Task::new(MAKE, format!("{MAKE}:{}", row.id), &row.id).due(ready);
            self.keep(desk, row, Vec::new(), Some(task)).await?;
            return Ok(answer);
        };
        let answer = match (earlier.state, earlier.file_id) {
            (State::Nothing, _) => Answer::Nothing,
            (State::Refused, _) => Answer::Forbidden,
            (State::Ready | State::Sent, Some(file)) => {
                let grant = of_person(desk, self.offered, person)?;
                let bytes = desk
                    .store
                    .files()
                    .get(&desk.store, &grant, FileId::from_uuid(file))
                    .await?;
                Answer::Package(bytes.to_vec())
            }
            // it was fetched long ago
            (State::Ready | State::Sent, None) => Answer::Forbidden,
            (State::Preparing, _) => {
                let ready = earlier.ready_at.map_or(Timestamp::MIN, time);
                Answer::Later(now.duration_until(ready).max(SignedDuration::from_secs(LEAST)))
            }
        };
        let state = match &answer {
            Answer::Package(_) => State::Sent,
            _ => earlier.state,
        };
        let mut row = self.row(desk, Some(verified), &answer, state);
        row.size = size(&answer);
        match self.keep(desk, row, Vec::new(), None).await {
            // it became ready in this moment: the platform calls again
            Err(CaseError::Conflict(_)) => Ok(Answer::Later(SignedDuration::from_secs(LEAST))),
            other => other.map(|()| answer),
        }
    }
}

fn size(answer: &Answer) -> i64 {
    match answer {
        Answer::Package(bytes) => i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        _ => 0,
    }
}
