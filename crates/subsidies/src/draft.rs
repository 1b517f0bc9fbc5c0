//! Writing a plan together: parts saved under a version each, compared, commented on.

use crate::boxed;
use std::collections::HashMap;

use civic::ids::EventId;
use grants::plan::{Piece, difference};
use jiff::Timestamp;
use store::Tx;
use store::sea_orm::ConnectionTrait;
use store::seal::Place;
use store::tables::subsidy_plan::{self, State};
use store::tables::{staff, subsidy_comment, subsidy_part};
use uuid::Uuid;

use crate::guard::{self, Action};
use crate::part::{self, Part};
use crate::{Desk, Member, SubsidyError, text};

/// Name of the key under which plans are sealed.
pub(crate) const KEY: &str = "subsidies";
/// Versions and comments that are shown of a part.
const SHOWN: u64 = 100;
/// Most characters of a comment.
const MOST_COMMENT: usize = 2_000;

/// A version of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Counts from 1.
    pub version: i64,
    /// Name of who saved it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A comment on a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The comment.
    pub text: String,
    /// Name of who wrote it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Opens the plan of a member's government for a programme, or finds the one that is open.
///
/// # Errors
/// [`SubsidyError::NotFound`] for a programme or a government that there is not; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn open(desk: &Desk, member: &Member, programme: &str) -> Result<Uuid, SubsidyError> {
    let programme = desk.programme(programme)?;
    let basis = programme.basis.get(civic::Language::ZhTw);
    guard::office(desk, member, "call", &member.agency, basis)?;
    if programme.government(&member.agency).is_none() {
        return Err(SubsidyError::NotFound("government"));
    }
    let row = subsidy_plan::Model {
        id: EventId::generate(desk.clock.as_ref()).uuid(),
        programme: programme.id.clone(),
        government: member.agency.clone(),
        state: State::Draft,
        opened_by: member.id.uuid(),
        opened_at: desk.now().as_microsecond(),
        sent_at: None,
        appraisal: None,
        amount: None,
        note: None,
        decided_by: None,
        decided_at: None,
        commented_on: None,
        handed_in_at: None,
        deferred_on: None,
        deferral_reason: None,
        revision: 1,
    };
    let (desk, member) = (desk.clone(), member.clone());
    desk.clone()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let open = subsidy_plan::of_government(tx, &row.government).await?;
                if let Some(open) = open.into_iter().find(|one| one.programme == row.programme) {
                    return Ok(open.id);
                }
                let id = row.id;
                subsidy_plan::insert(tx, row).await?;
                guard::event(&desk, tx, &member, id, "open", None).await?;
                Ok::<_, SubsidyError>(id)
            })
        })
        .await
}

/// Saves a part over the version that the member saw, 0 where there was none, and returns the new one. All versions are kept.
///
/// # Errors
/// [`SubsidyError::Conflict`] when somebody saved the part meanwhile; [`SubsidyError::Input`] for a part beyond its bounds;
/// [`SubsidyError::State`] for a plan that is not written any more; [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn save(desk: &Desk, member: &Member, plan: Uuid, part: Part, seen: i64) -> Result<i64, SubsidyError> {
    let row = guard::plan(desk, member, Action::Write, plan).await?;
    part.check(desk.programme(&row.programme)?)?;
    let (desk, member) = (desk.clone(), member.clone());
    let done = desk
        .clone()
        .store
        .write(move |tx| {
            Box::pin(async move {
                writable(tx, plan).await?;
                put(&desk, tx, &member, &row, &part, seen).await
            })
        })
        .await;
    told(done)
}

/// Whether a plan is written at the moment, within the transaction that writes it.
pub(crate) async fn writable(tx: &Tx, plan: Uuid) -> Result<(), SubsidyError> {
    let now = subsidy_plan::by_id(tx, plan)
        .await?
        .ok_or(SubsidyError::NotFound("plan"))?;
    match now.state {
        State::Draft | State::Correction => Ok(()),
        State::Sent | State::Corrected | State::Refused => Err(SubsidyError::State),
    }
}

/// Writes the next version of a part over the one that was seen.
pub(crate) async fn put(
    desk: &Desk,
    tx: &Tx,
    member: &Member,
    plan: &subsidy_plan::Model,
    part: &Part,
    seen: i64,
) -> Result<i64, SubsidyError> {
    let (name, json) = (part.name(), part.json()?);
    let version = seen
        .checked_add(1)
        .filter(|version| *version > 0)
        .ok_or(SubsidyError::Conflict("part"))?;
    let newest = subsidy_part::versions(tx, plan.id, &name, 1).await?;
    if newest.first().map_or(0, |row| row.version) != seen {
        return Err(SubsidyError::Conflict("part"));
    }
    let id = EventId::generate(desk.clock.as_ref()).uuid();
    let seal = desk.store.seal();
    let key = seal.system_key(tx, KEY).await?;
    let place = Place::new("subsidy_part", "sealed", &id);
    let sealed = seal.seal(tx, key, place, &json).await?;
    let row = subsidy_part::Model {
        id,
        plan_id: plan.id,
        part: name.clone(),
        version,
        key_id: key.uuid(),
        sealed,
        saved_by: member.id.uuid(),
        saved_at: tx.now().as_microsecond(),
    };
    subsidy_part::insert(tx, row).await?;
    guard::event(desk, tx, member, plan.id, "save", Some(name)).await?;
    let personal: &[&str] = match part {
        Part::Contact(_) => &["contact"],
        Part::Assessment(_) => &["test_accounts"],
        _ => return Ok(version),
    };
    guard::used(desk, tx, member, Action::Write, &plan.programme, personal).await?;
    Ok(version)
}

/// A version that somebody else took first, in plain words.
pub(crate) fn told<T>(done: Result<T, SubsidyError>) -> Result<T, SubsidyError> {
    match done {
        Err(SubsidyError::Store(error)) if error.is_duplicate() => Err(SubsidyError::Conflict("part")),
        other => other,
    }
}

/// The versions of a part, the newest first; a hundred at most.
///
/// # Errors
/// [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn versions(desk: &Desk, member: &Member, plan: Uuid, part: &str) -> Result<Vec<Version>, SubsidyError> {
    guard::plan(desk, member, Action::View, plan).await?;
    let rows = subsidy_part::versions(desk.store.read(), plan, part, SHOWN).await?;
    let names = names(desk.store.read()).await?;
    rows.iter()
        .map(|row| {
            Ok(Version {
                version: row.version,
                by: names.get(&row.saved_by).cloned().unwrap_or_default(),
                at: time("subsidy_part", row.saved_at)?,
            })
        })
        .collect()
}

/// The pieces of two versions of a part in reading order; version 0 is an empty part.
///
/// # Errors
/// [`SubsidyError::NotFound`] for a version that there is not; [`SubsidyError::Input`] where they are too long to compare; the
/// store's.
#[boxed]
pub async fn compare(
    desk: &Desk,
    member: &Member,
    plan: Uuid,
    part: &str,
    old: i64,
    new: i64,
) -> Result<Vec<Piece>, SubsidyError> {
    guard::plan(desk, member, Action::View, plan).await?;
    let mut texts = Vec::with_capacity(2);
    for version in [old, new] {
        if version == 0 {
            texts.push(String::new());
            continue;
        }
        let row = subsidy_part::version(desk.store.read(), plan, part, version)
            .await?
            .ok_or(SubsidyError::NotFound("version"))?;
        texts.push(part::opened(&desk.store, desk.store.read(), &row).await?.plain());
    }
    let [old, new] = texts.as_slice() else {
        return Err(SubsidyError::NotFound("version"));
    };
    difference(old, new).map_err(|_| SubsidyError::input("part", "too_long"))
}

/// Writes a comment on a part for one's colleagues.
///
/// # Errors
/// [`SubsidyError::Input`] for one that is empty or too long; [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn comment(desk: &Desk, member: &Member, plan: Uuid, part: &str, text: &str) -> Result<(), SubsidyError> {
    let row = guard::plan(desk, member, Action::Write, plan).await?;
    let programme = desk.programme(&row.programme)?;
    let blank = part::assembled(&desk.store, desk.store.read(), programme, &row.government, &[]).await?;
    if Part::of(&blank, programme, part).is_none() {
        return Err(SubsidyError::NotFound("part"));
    }
    let text = text::needed("comment", text, MOST_COMMENT)?;
    let row = subsidy_comment::Model {
        id: EventId::generate(desk.clock.as_ref()).uuid(),
        plan_id: plan,
        part: part.to_owned(),
        text,
        written_by: member.id.uuid(),
        written_at: desk.now().as_microsecond(),
    };
    desk.store
        .write(move |tx| Box::pin(async move { Ok::<_, SubsidyError>(subsidy_comment::insert(tx, row).await?) }))
        .await
}

/// The comments on a part, the newest first; a hundred at most.
///
/// # Errors
/// [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn comments(desk: &Desk, member: &Member, plan: Uuid, part: &str) -> Result<Vec<Comment>, SubsidyError> {
    guard::plan(desk, member, Action::View, plan).await?;
    let rows = subsidy_comment::of_part(desk.store.read(), plan, part, SHOWN).await?;
    let names = names(desk.store.read()).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Comment {
                by: names.get(&row.written_by).cloned().unwrap_or_default(),
                at: time("subsidy_comment", row.written_at)?,
                text: row.text,
            })
        })
        .collect()
}

/// Names of the staff by identifier.
pub(crate) async fn names(db: &impl ConnectionTrait) -> Result<HashMap<Uuid, String>, SubsidyError> {
    let rows = staff::all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

pub(crate) fn time(what: &'static str, microseconds: i64) -> Result<Timestamp, SubsidyError> {
    Timestamp::from_microsecond(microseconds).map_err(|_| SubsidyError::Corrupt {
        what,
        why: "a time out of range".to_owned(),
    })
}
