//! The mail of an invitation, and the link in it.

use std::collections::BTreeMap;

use civic::Language;
use services::Service;
use services::invite::Invite;
use store::outbox::Outcome;
use store::seal::{Place, Seal};
use store::tables::invitation::Standing;
use store::tables::{campaign, invitation, preference};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::allowed;
use crate::guard::{Action, Who};
use crate::history::time;
use crate::notify::{Content, fill};
use crate::{CaseError, Desk, record};

/// Kind of the work that sends an invitation.
pub(crate) const SEND: &str = "outreach.send";

/// Bytes of the mark that makes a link one of ours.
const MARK: usize = 16;

/// The mail of an invitation. It names nobody: whoever else opens it learns nothing of a person.
pub(super) fn mail(
    desk: &Desk,
    service: &Service,
    invite: &Invite,
    id: Uuid,
    to: String,
    language: Language,
) -> Content {
    let text = match language {
        Language::ZhTw => include_str!("../../messages/zh-TW/invitation.txt"),
        _ => include_str!("../../messages/en/invitation.txt"),
    };
    let link = format!("{}/invitations/{}", desk.city.portal, token(desk.store.seal(), id));
    let words = [
        ("city", desk.city.name.get(language).to_owned()),
        ("agency", service.meta.agency.get(language).to_owned()),
        ("phone", desk.city.phone.clone()),
        ("service", service.meta.name.get(language).to_owned()),
        ("text", invite.text.get(language).trim().to_owned()),
        ("stop", format!("{link}#stop")),
        ("link", link),
    ];
    let words: BTreeMap<String, String> = words.into_iter().map(|(name, word)| (name.to_owned(), word)).collect();
    let filled = fill(text, &words);
    let (subject, body) = filled.split_once('\n').unwrap_or((filled.as_str(), ""));
    Content::mail(to, subject, body)
}

fn mark(seal: &Seal, id: Uuid) -> String {
    let hash = seal.lookup_bytes("invitation", id.as_bytes());
    hex::encode(hash.get(..MARK).unwrap_or_default())
}

/// What stands in the link: which invitation, and a mark that only this platform can make.
pub(super) fn token(seal: &Seal, id: Uuid) -> String {
    format!("{}{}", id.simple(), mark(seal, id))
}

/// The invitation a link names; nothing for a link that is not ours.
pub(super) fn named(seal: &Seal, token: &str) -> Option<Uuid> {
    let (id, found) = (token.get(..32)?, token.get(32..)?);
    let id = Uuid::try_parse(id).ok()?;
    // the time it takes says nothing of how much was guessed right
    bool::from(mark(seal, id).as_bytes().ct_eq(found.as_bytes())).then_some(id)
}

/// Sends the invitation of this id, unless the person said no meanwhile. It carries its own `Message-ID`.
///
/// # Errors
/// Temporary ones, after which the work is tried again.
pub(crate) async fn send(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let (Some(mailer), Some(row)) = (desk.mail.as_ref(), invitation::by_id(desk.store.read(), id).await?) else {
        return Ok(Outcome::Done);
    };
    let (Some(sealed), Standing::Queued) = (&row.sealed, row.standing) else {
        return Ok(Outcome::Done);
    };
    let (Some(service), Some(sent_with)) = (
        desk.catalogue.get(&row.service),
        campaign::by_id(desk.store.read(), row.campaign_id).await?,
    ) else {
        return Ok(Outcome::Done);
    };
    let mut standing = Standing::Declined;
    if preference::find(desk.store.read(), &row.subject).await? != Some(false) {
        let grant = allowed(desk, &Who::System, Action::Invite, sent_with.id, service)?;
        let place = Place::new("invitation", "sealed", &row.id);
        let content: Content = record::unseal(desk, &grant, sent_with.key_id.into(), place, sealed).await?;
        let name = id.to_string();
        let mail = exchange::mail::Mail {
            to: &content.to,
            subject: &content.subject,
            text: &content.text,
            html: None,
            id: &name,
            at: time(row.made_at),
        };
        standing = match mailer.send(&mail).await {
            Ok(()) => Standing::Sent,
            Err(error) if error.may_retry() => {
                return Err(CaseError::Outside {
                    party: "mail server",
                    problem: error.to_string(),
                });
            }
            Err(_) => Standing::Failed,
        };
    }
    let at = (standing == Standing::Sent).then(|| desk.now().as_microsecond());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                invitation::finish(tx, id, standing, at).await?;
                Ok::<_, CaseError>(Outcome::Done)
            })
        })
        .await
}
