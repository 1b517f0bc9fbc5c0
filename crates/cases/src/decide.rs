//! What the rules say of the answers, now or on an earlier day.

use std::sync::Arc;

use civic::ids::DecisionId;
use jiff::civil::Date;
use rules::{Decision, RuleError};
use services::Service;
use services::form::Answers;
use store::seal::Place;
use store::tables::decision;

use crate::record::{self, Record};
use crate::{CaseError, Desk};

/// What the rules say under the law of a day.
///
/// # Errors
/// The rules' own, such as an overflow in a step, with the service whose folder it is to be mended in.
pub fn decide(service: &Service, answers: &Answers, on: Date) -> Result<Decision, CaseError> {
    let of_service = |error| RuleError::Service {
        service: service.meta.id.clone(),
        error: Box::new(error),
    };
    let decided = service.rules.decide(&service.form.case_input(answers), on);
    decided.map_err(of_service).map_err(CaseError::from)
}

/// What the rules say of a record as it stands, asked once for each revision.
///
/// # Errors
/// The rules' own.
pub(crate) fn of(desk: &Desk, record: &Record, on: Date) -> Result<Arc<Decision>, CaseError> {
    let (id, revision) = (record.row.id, record.row.revision);
    if let Some(known) = desk.recent.decision(&id, revision, on) {
        return Ok(known);
    }
    let decision = Arc::new(decide(&record.service, &record.answers, on)?);
    desk.recent.keep_decision(id, revision, on, Arc::clone(&decision));
    Ok(decision)
}

/// The finding (初判) as queues show it.
#[must_use]
pub fn finding(decision: &Decision) -> &'static str {
    match decision.outcome {
        Some(true) => "eligible",
        Some(false) => "ineligible",
        None => "open",
    }
}

/// The row that keeps a decision with every step, so that it can be explained later as it was made.
pub(crate) async fn row(
    desk: &Desk,
    record: &Record,
    decision: &Decision,
    occasion: &str,
) -> Result<decision::Model, CaseError> {
    let id = DecisionId::generate(desk.clock.as_ref()).uuid();
    let sealed = record::seal(
        desk,
        desk.store.read(),
        record.row.key_id.into(),
        Place::new("decision", "sealed", &id),
        decision,
    )
    .await?;
    Ok(decision::Model {
        id,
        application_id: record.row.id,
        revision: record.row.revision + 1,
        at: desk.now().as_microsecond(),
        occasion: occasion.to_owned(),
        rules_digest: decision.digest.clone(),
        reference_date: decision.reference_date.to_string(),
        finding: finding(decision).to_owned(),
        sealed,
    })
}

/// The latest kept decision of an application.
pub(crate) async fn latest(desk: &Desk, record: &Record) -> Result<Option<Decision>, CaseError> {
    let Some(row) = decision::latest(desk.store.read(), record.row.id).await? else {
        return Ok(None);
    };
    let place = Place::new("decision", "sealed", &row.id);
    record::unseal(desk, &record.grant, record.row.key_id.into(), place, &row.sealed)
        .await
        .map(Some)
}
