//! Answers that the verbs themselves need: how to reach the person, and where to pay.

use services::form::{APPLICANT, Answers, FieldKind, Form};

use crate::pay::Account;

/// The key of the first field that is `wanted`, for the applicant where its page is repeated for persons.
fn key(form: &Form, wanted: impl Fn(&services::form::Field) -> bool) -> Option<String> {
    form.pages.iter().find_map(|page| {
        let field = page.fields.iter().find(|field| wanted(field))?;
        Some(match &page.group {
            Some(group) => format!("{group}.{APPLICANT}.{}", field.id),
            None => field.id.clone(),
        })
    })
}

/// The answer to the field that holds this detail of the person, such as `email`.
pub(crate) fn profile(form: &Form, answers: &Answers, detail: &str) -> Option<String> {
    let key = key(form, |field| field.profile.as_deref() == Some(detail))?;
    let text = answers.value(&key)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The key of the account to pay to.
pub(crate) fn account_key(form: &Form) -> Option<String> {
    key(form, |field| matches!(field.kind, FieldKind::BankAccount))
}

/// The account to pay to, with the applicant's name as its holder.
pub(crate) fn payee(form: &Form, answers: &Answers) -> Option<Account> {
    let account = answers.value(&account_key(form)?)?;
    let part = |name: &str| Some(account.get(name)?.as_str()?.to_owned());
    Some(Account {
        bank: part("bank")?,
        account: part("account")?,
        name: profile(form, answers, "name"),
    })
}
