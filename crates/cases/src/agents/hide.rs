//! What an agent does not see: answers from the principal's account, from registers, outside bodies and MyData, and the bank
//! account. What they may not see they can't change either; and where money goes to only who may see accounts writes.

use std::collections::BTreeMap;

use services::form::{Answer, Answers, FieldKind, Form, Source};

use super::Power;
use crate::guard::{self, Action};
use crate::record::Record;
use crate::{CaseError, Desk, Person};

/// The answers kept from an agent.
pub(crate) struct Kept {
    /// What they may not see.
    hidden: Vec<(String, Answer)>,
    /// The bank accounts as they are, where the agent may give none.
    accounts: Option<BTreeMap<String, Answer>>,
}

impl Kept {
    /// # Errors
    /// [`CaseError::Refused`] when one of them is another now.
    pub(crate) fn unchanged(&self, form: &Form, answers: &Answers) -> Result<(), CaseError> {
        let refused = |action: Action| {
            Err(CaseError::Refused(store::access::Refused {
                action: action.word().to_owned(),
            }))
        };
        let same = |(key, answer): &(String, Answer)| answers.get(key) == Some(answer);
        if !self.hidden.iter().all(same) {
            return refused(Action::Data);
        }
        match &self.accounts {
            Some(before) if *before != accounts(form, answers) => refused(Action::Account),
            _ => Ok(()),
        }
    }
}

/// Whether an answer is a bank account.
pub(crate) fn is_account(form: &Form, key: &str) -> bool {
    let field = form.field(key).map(|(_, field)| field);
    field.is_some_and(|field| matches!(field.kind, FieldKind::BankAccount))
}

/// The bank accounts among answers.
fn accounts(form: &Form, answers: &Answers) -> BTreeMap<String, Answer> {
    let all = answers.values.iter().filter(|(key, _)| is_account(form, key));
    all.map(|(key, answer)| (key.clone(), answer.clone())).collect()
}

/// Whether who acts may see and give the bank account of a case; the person always may.
pub(crate) fn may_account(desk: &Desk, person: &Person, record: &Record) -> bool {
    person.acting().is_none() || guard::case(desk, &person.who(), Action::Account, &record.row, &record.service).is_ok()
}

/// The answers of a case that are kept from who acts; none from the person themself.
pub(crate) fn kept(desk: &Desk, person: &Person, record: &Record) -> Kept {
    let form = &record.service.form;
    let Some(acting) = person.acting() else {
        return Kept {
            hidden: Vec::new(),
            accounts: None,
        };
    };
    let data = guard::case(desk, &person.who(), Action::Data, &record.row, &record.service).is_ok();
    let profile = acting.has(Power::Profile);
    let account = may_account(desk, person, record);
    let hidden = |key: &str, answer: &Answer| {
        let field = form.field(key).map(|(_, field)| field);
        let is_name = field.is_some_and(|field| field.profile.as_deref() == Some("name"));
        let from = match &answer.source {
            Source::Profile => !profile && !is_name,
            // what another application of the principal says is as what a register says
            Source::Register
            | Source::Body { .. }
            | Source::MyData { .. }
            | Source::Wallet { .. }
            | Source::Earlier { .. } => !data,
            Source::Person | Source::Screening => false,
        };
        let beside = answer
            .changed_from
            .as_ref()
            .is_some_and(|held| !matches!(held.source, Source::Person | Source::Screening) && !data);
        from || beside || (!account && is_account(form, key))
    };
    let values = record.answers.values.iter();
    Kept {
        hidden: values
            .filter(|(key, answer)| hidden(key, answer))
            .map(|(key, answer)| (key.clone(), answer.clone()))
            .collect(),
        accounts: (!account).then(|| accounts(form, &record.answers)),
    }
}

/// Takes out of a record what who acts may not see; whether there was any. The record is not to be written afterwards.
pub(crate) fn hide(desk: &Desk, person: &Person, record: &mut Record) -> bool {
    let Kept { hidden, .. } = kept(desk, person, record);
    // The principal's own details say nothing of the figures; what registers brought does.
    let mut figures = false;
    for (key, answer) in &hidden {
        record.answers.values.remove(key);
        figures |= !matches!(answer.source, Source::Profile | Source::Person | Source::Screening);
    }
    figures
}
