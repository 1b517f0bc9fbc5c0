//! From the questionnaire to an application: what was said is carried over into the draft.

use crate::boxed;
use civic::ids::ApplicationId;
use civic::{Channel, Language};
use services::form::APPLICANT;

use super::look;
use super::state::Screening;
use crate::change::Change;
use crate::people::Person;
use crate::{CaseError, Desk, State, collect, record};

/// Opens an application for a service, or continues the draft there is, and puts in what was said where nothing stands yet.
/// Doing it twice changes nothing.
///
/// # Errors
/// As [`collect::open`]; [`CaseError::Conflict`] when the draft was changed in this moment; the store's.
#[boxed]
pub async fn apply(
    desk: &Desk,
    person: &Person,
    service: &str,
    screening: &Screening,
    language: Language,
) -> Result<ApplicationId, CaseError> {
    let id = collect::open(desk, person, service, Channel::Online, language).await?;
    let mut record = record::own(desk, person, id, crate::guard::Action::Fill).await?;
    if record.row.state != State::Draft {
        return Ok(id);
    }
    let said = look::answers(&desk.catalogue, &record.service, screening);
    let form = &record.service.form;
    let group = form.person_group();
    let before = record.answers.clone();
    // who was named on the way belongs to the family, unless the draft has its own already
    let alone = group.is_some_and(|group| record.answers.items(&group.id).len() <= 1);
    let mut items: Vec<(String, String)> = vec![(APPLICANT.to_owned(), APPLICANT.to_owned())];
    if let Some(group) = group.filter(|_| alone) {
        for member in said.items(&group.id).iter().filter(|member| *member != APPLICANT) {
            if let Some(item) = record.answers.add_item(form, &group.id) {
                items.push((member.clone(), item));
            }
        }
        if screening.complete && record.answers.value(&group.id).is_none() {
            record
                .answers
                .offer(&group.id, true.into(), services::form::Source::Screening, desk.now());
        }
    }
    for (key, answer) in &said.values {
        let own = match key.split('.').collect::<Vec<_>>().as_slice() {
            [_] => Some(key.clone()),
            [group, member, field] => items
                .iter()
                .find(|(named, _)| named == member)
                .map(|(_, item)| format!("{group}.{item}.{field}")),
            _ => None,
        };
        let Some(own) = own.filter(|own| record.answers.get(own).is_none()) else {
            continue;
        };
        record.answers.values.insert(own, answer.clone());
    }
    if record.answers == before {
        return Ok(id);
    }
    let mut change = Change::quiet(desk, record.row.clone());
    change.answers(desk, &record).await?;
    desk.store
        .write(move |tx| Box::pin(async move { change.write(tx).await }))
        .await?;
    Ok(id)
}
