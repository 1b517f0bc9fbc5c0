//! What an agent does not see: answers from the principal's account, from registers and MyData, and a bank account that is
//! not theirs to know. What they may not see they can't change either.

use services::form::{Answer, Answers, FieldKind, Source};

use super::Power;
use crate::guard::{self, Action};
use crate::record::Record;
use crate::{CaseError, Desk, Person};

/// The answers kept from an agent.
pub(crate) struct Kept(Vec<(String, Answer)>);

impl Kept {
    /// # Errors
    /// [`CaseError::Refused`] when one of them is another now.
    pub(crate) fn unchanged(&self, answers: &Answers) -> Result<(), CaseError> {
        let same = |(key, answer): &(String, Answer)| answers.get(key) == Some(answer);
        if self.0.iter().all(same) {
            Ok(())
        } else {
            Err(CaseError::Refused(store::access::Refused {
                action: Action::Data.word().to_owned(),
            }))
        }
    }
}

/// The answers of a case that are kept from who acts; none from the person themself.
pub(crate) fn kept(desk: &Desk, person: &Person, record: &Record) -> Kept {
    let Some(acting) = person.acting() else {
        return Kept(Vec::new());
    };
    let who = person.who();
    let may = |action| guard::case(desk, &who, action, &record.row, &record.service).is_ok();
    let data = may(Action::Data);
    let profile = acting.has(Power::Profile);
    // The account of a case they opened is the one they wrote there.
    let account = may(Action::Account) || acting.opened_under(record.row.id).is_some();
    let form = &record.service.form;
    let hidden = |key: &str, answer: &Answer| {
        let field = form.field(key).map(|(_, field)| field);
        let is_account = field.is_some_and(|field| matches!(field.kind, FieldKind::BankAccount));
        let is_name = field.is_some_and(|field| field.profile.as_deref() == Some("name"));
        let from = match &answer.source {
            Source::Profile => !profile && !is_name,
            Source::Register | Source::MyData { .. } => !data,
            Source::Person => false,
        };
        let beside = answer
            .changed_from
            .as_ref()
            .is_some_and(|held| !matches!(held.source, Source::Person) && !data);
        from || beside || (is_account && !account)
    };
    Kept(
        record
            .answers
            .values
            .iter()
            .filter(|(key, answer)| hidden(key, answer))
            .map(|(key, answer)| (key.clone(), answer.clone()))
            .collect(),
    )
}

/// Takes out of a record what who acts may not see; whether there was any. The record is not to be written afterwards.
pub(crate) fn hide(desk: &Desk, person: &Person, record: &mut Record) -> bool {
    let Kept(kept) = kept(desk, person, record);
    // The principal's own details say nothing of the figures; what registers brought does.
    let mut figures = false;
    for (key, answer) in &kept {
        record.answers.values.remove(key);
        figures |= !matches!(answer.source, Source::Profile | Source::Person);
    }
    figures
}
