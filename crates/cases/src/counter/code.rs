//! The person's data by a MyData code of the counter (臨櫃取用碼): the clerk types the code, then the one-time password the
//! platform showed the person; what follows is the fetch of every other MyData transaction.

use crate::boxed;
use civic::ids::{ApplicationId, ConsentId, TransactionId};
use civic::{Language, NationalId};
use exchange::mydata::{CounterCall, CounterCode, CounterError};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use store::tables::mydata_transaction::{self as transaction, Model, State};
use store::tables::{consent, witness};
use uuid::Uuid;

use super::Visit;
use super::fill::{unseen, witnessed};
use crate::collect::mydata::{outside, suspicious, take, words};
use crate::collect::{self, MyDataState};
use crate::guard::Action;
use crate::{CaseError, Desk, record};

/// A code that the platform knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The transaction it began.
    pub transaction: Uuid,
    /// The data sets that will be fetched: those behind the code that this service uses.
    pub sets: Vec<String>,
}

/// Which counter asks, by a name that says nothing of the clerk to anybody but us.
fn counter(desk: &Desk, visit: &Visit) -> String {
    let hash = desk.store.seal().lookup("counter", &visit.staff.uuid().to_string());
    hex::encode(hash.get(..8).unwrap_or(&hash))
}

/// Who stands there in the person's place.
fn agent(visit: &Visit) -> Result<Option<NationalId>, CaseError> {
    let Some(agent) = &visit.agent else { return Ok(None) };
    let unreadable = || CaseError::Corrupt {
        what: "visit",
        why: "the agent's number".to_owned(),
    };
    agent.national_id().ok_or_else(unreadable).map(Some)
}

/// The first step: the clerk types the code.
///
/// # Errors
/// [`CaseError::Input`] for a code that is refused, recorded as a security event where somebody may be guessing;
/// [`CaseError::Outside`] where MyData is not connected or can't be reached; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn code(
    desk: &Desk,
    visit: &Visit,
    id: ApplicationId,
    typed: &str,
    language: Language,
) -> Result<Offer, CaseError> {
    let record = record::own(desk, &visit.person, id, Action::Fill)
        .await
        .map_err(unseen)?;
    collect::still_draft(&record.row)?;
    if !collect::agreed(desk, id).await? {
        return Err(CaseError::Incomplete(vec!["notice".to_owned()]));
    }
    let connector = desk
        .mydata
        .as_ref()
        .ok_or_else(|| outside("MyData is not connected; ask the person instead"))?;
    let code = match CounterCode::parse(typed) {
        Ok(code) => code,
        Err(error) => return Err(refused(desk, id, &error).await?),
    };
    let tx_id = TransactionId::from_uuid(Uuid::new_v4());
    let agent = agent(visit)?;
    let call = CounterCall {
        tx_id,
        person: &visit.person.national_id,
        agent: agent.as_ref(),
        code: &code,
        counter: &counter(desk, visit),
    };
    let offered = match connector.counter_code(call).await {
        Ok(offered) => offered,
        Err(error) => return Err(refused(desk, id, &error).await?),
    };
    // no more than the service uses, whatever the person put behind the code
    let wanted = record.service.meta.mydata.iter();
    let sets: Vec<String> = wanted.filter(|set| offered.contains(set)).cloned().collect();
    if sets.is_empty() {
        return Err(CaseError::Input {
            field: "code",
            problem: "nothing",
        });
    }
    let now = desk.now().as_microsecond();
    let row = Model {
        id: tx_id.uuid(),
        application_id: id.uuid(),
        person_id: visit.person.id.uuid(),
        resources: sets.join(" "),
        state: State::Started,
        return_code: None,
        permission_ticket: None,
        secret_key: None,
        unable_to_deliver: None,
        file_id: None,
        failure: None,
        verified_by: None,
        started_at: now,
        notified_at: None,
        fetched_at: None,
        opened_at: None,
        revision: 1,
    };
    let consent = consent::Model {
        id: ConsentId::generate(desk.clock.as_ref()).uuid(),
        person_id: visit.person.id.uuid(),
        application_id: id.uuid(),
        kind: "mydata".to_owned(),
        digest: hex::encode(Sha256::digest(sets.join(" "))),
        language: language.tag().to_owned(),
        resources: sets.join(" "),
        shown_at: now,
        agreed_at: now,
        withdrawn_at: None,
    };
    let witness = witnessed(visit, &consent);
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                transaction::insert(tx, row).await?;
                consent::insert(tx, consent).await?;
                witness::insert(tx, witness).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(Offer {
        transaction: tx_id.uuid(),
        sets,
    })
}

/// The second step: the clerk types the one-time password. The fetch follows in the background.
///
/// # Errors
/// As [`code`].
#[boxed]
pub async fn password(
    desk: &Desk,
    visit: &Visit,
    id: ApplicationId,
    transaction_id: Uuid,
    code: &str,
    password: &str,
) -> Result<MyDataState, CaseError> {
    let record = record::own(desk, &visit.person, id, Action::Fill)
        .await
        .map_err(unseen)?;
    collect::still_draft(&record.row)?;
    let connector = desk
        .mydata
        .as_ref()
        .ok_or_else(|| outside("MyData is not connected; ask the person instead"))?;
    let row = transaction::by_id(desk.store.read(), transaction_id)
        .await?
        .filter(|row| row.application_id == id.uuid() && row.person_id == visit.person.id.uuid())
        .ok_or(CaseError::NotFound("transaction"))?;
    if row.state != State::Started {
        // sent twice: the first is on its way
        return collect::mydata::state(desk, id).await;
    }
    let code = match CounterCode::parse(code) {
        Ok(code) => code,
        Err(error) => return Err(refused(desk, id, &error).await?),
    };
    let agent = agent(visit)?;
    let call = CounterCall {
        tx_id: TransactionId::from_uuid(row.id),
        person: &visit.person.national_id,
        agent: agent.as_ref(),
        code: &code,
        counter: &counter(desk, visit),
    };
    let sets = words(&row.resources);
    let notification = match connector.counter_password(call, password, &sets).await {
        Ok(notification) => notification,
        Err(error) => return Err(refused(desk, id, &error).await?),
    };
    let begun = Timestamp::from_microsecond(row.started_at).unwrap_or(Timestamp::MIN);
    if let Err(error) = notification.check(&connector.config().times, begun, &sets, desk.now()) {
        return Err(refused(desk, id, &CounterError::Notification(error)).await?);
    }
    take(desk, row, notification).await?;
    collect::mydata::state(desk, id).await
}

/// What the clerk is told of a refused code, and what is recorded of it: the code itself is in neither.
async fn refused(desk: &Desk, id: ApplicationId, error: &CounterError) -> Result<CaseError, CaseError> {
    let (field, problem) = match error {
        CounterError::Form => ("code", "form"),
        CounterError::PasswordForm => ("password", "form"),
        CounterError::Unknown => ("code", "unknown"),
        CounterError::Used => ("code", "used"),
        CounterError::Expired => ("code", "expired"),
        CounterError::OtherPerson => ("code", "other"),
        CounterError::OtherAgent => ("code", "agent"),
        CounterError::Password => ("password", "wrong"),
        CounterError::Locked(_) => ("code", "locked"),
        CounterError::Answer | CounterError::Notification(_) => ("code", "answer"),
        CounterError::Unreachable(_) => return Ok(outside(&error.to_string())),
    };
    // a slip of the hand is no event
    if problem != "form" {
        suspicious(desk, "mydata.counter", Some(id.uuid()), &error.to_string()).await?;
    }
    Ok(CaseError::Input { field, problem })
}
