//! Sends a kept message once.

use store::outbox::Outcome;
use store::seal::Place;
use store::tables::message;
use uuid::Uuid;

use super::Content;
use crate::guard::{Action, Who};
use crate::history::time;
use crate::{CaseError, Desk, record};

/// Kind of the work that sends a message.
pub(crate) const SEND: &str = "mail.send";

/// Sends the message of this id. It carries its own `Message-ID`, so a message whose sending was not noted before a
/// crash is recognised by mail servers when it is sent again.
///
/// # Errors
/// Temporary ones, after which the work is tried again.
pub(crate) async fn send(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let Some(mailer) = desk.mail.as_ref() else {
        return Ok(Outcome::Done);
    };
    let Some(row) = message::by_id(desk.store.read(), id).await? else {
        return Ok(Outcome::Done);
    };
    let (Some(sealed), "queued") = (&row.sealed, row.status.as_str()) else {
        return Ok(Outcome::Done);
    };
    let application = record::row(desk, row.application_id.into()).await?;
    let record = record::open(desk, &Who::System, Action::Notify, application).await?;
    let content: Content = record::unseal(
        desk,
        &record.grant,
        record.row.key_id.into(),
        Place::new("message", "sealed", &row.id),
        sealed,
    )
    .await?;
    let name = id.to_string();
    let mail = exchange::mail::Mail {
        to: &content.to,
        subject: &content.subject,
        text: &content.text,
        html: None,
        id: &name,
        at: time(row.made_at),
    };
    let sent = mailer.send(&mail).await;
    let status = match &sent {
        Ok(()) => "sent",
        Err(error) if error.may_retry() => {
            desk.store
                .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(message::count_try(tx, id).await?) }))
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
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(message::finish(tx, id, status, Some(at)).await?) }))
        .await?;
    Ok(Outcome::Done)
}
