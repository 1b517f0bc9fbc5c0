//! Flow B of MyData: the person signs on the city's own page with their certificate, and goes straight to the platform's consent page.
//!
//! Nothing is kept until the platform has taken the signature: the transaction and the text to sign go through the person's browser,
//! and the platform holds them against its salt.

use crate::boxed;
use civic::Language;
use civic::ids::{ApplicationId, TransactionId};
use exchange::mydata::{SignatureError, Statement};
use jiff::civil::Date;
use store::tables::{consent, mydata_transaction};
use url::Url;
use uuid::Uuid;

use super::mydata::{asked, outside};
use super::still_draft;
use crate::guard::Action;
use crate::people::Person;
use crate::{CaseError, Desk, record};

/// What the person's card signs.
#[derive(Clone, PartialEq, Eq)]
pub struct ToSign {
    /// The transaction to come.
    pub transaction: Uuid,
    /// The text; it holds the statement encrypted for the platform.
    pub text: String,
}

fn refused(error: &SignatureError) -> CaseError {
    let problem = match error {
        SignatureError::Form => "form",
        SignatureError::Wrong => "wrong",
        SignatureError::NotAccepted => "not_accepted",
        SignatureError::TooLate => "too_late",
        SignatureError::OtherPerson => "other_person",
        SignatureError::Call(_) | SignatureError::Answer => return outside(&error.to_string()),
    };
    CaseError::Input {
        field: "signature",
        problem,
    }
}

/// Begins: the platform's salt, and the text to sign.
///
/// # Errors
/// [`CaseError::Outside`] where MyData is not connected or does not answer; [`CaseError::Illegal`] after submission; the store's.
#[boxed]
pub async fn to_sign(desk: &Desk, person: &Person, id: ApplicationId, birthday: Date) -> Result<ToSign, CaseError> {
    let record = record::own(desk, person, id, Action::MyData).await?;
    still_draft(&record.row)?;
    let connector = desk.mydata.as_ref().ok_or_else(|| outside("MyData is not connected"))?;
    let tx_id = TransactionId::from_uuid(Uuid::new_v4());
    let salt = connector.salt(tx_id).await.map_err(|error| refused(&error))?;
    let statement = Statement {
        person: &person.national_id,
        holder: &person.name,
        birthday,
        email: person.email.as_deref().unwrap_or_default(),
        mobile: person.phone.as_deref().unwrap_or_default(),
    };
    Ok(ToSign {
        transaction: tx_id.uuid(),
        text: connector.to_sign(&salt, &statement),
    })
}

/// Hands in the signature (Base64 of PKCS#7 over the text), notes what was agreed to, and gives the address of the consent page.
///
/// # Errors
/// [`CaseError::Input`] for a signature that the platform does not take; as [`to_sign`].
#[boxed]
pub async fn signed(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    to_sign: &ToSign,
    pkcs7: &str,
    language: Language,
) -> Result<Url, CaseError> {
    let record = record::own(desk, person, id, Action::MyData).await?;
    still_draft(&record.row)?;
    let connector = desk.mydata.as_ref().ok_or_else(|| outside("MyData is not connected"))?;
    let resources = record.service.meta.mydata.clone();
    if resources.is_empty() {
        return Err(outside("this service uses no data from MyData"));
    }
    if !connector.states(&to_sign.text, &person.national_id) {
        return Err(refused(&SignatureError::Wrong));
    }
    let tx_id = TransactionId::from_uuid(to_sign.transaction);
    let pkcs7: String = pkcs7.chars().filter(|letter| !letter.is_whitespace()).collect();
    let return_url = &connector.config().return_url;
    let begun = connector
        .sign(tx_id, (&to_sign.text, &pkcs7), None, &resources, return_url)
        .await
        .map_err(|error| refused(&error))?
        .map_err(|error| outside(&error.to_string()))?;
    let (row, agreed) = asked(desk, person, id, tx_id, &resources, language);
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                mydata_transaction::insert(tx, row).await?;
                consent::insert(tx, agreed).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(begun.redirect)
}
