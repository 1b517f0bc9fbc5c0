//! Plans of different governments that say the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use grants::Programme;
use grants::similarity::{self, Document, Pair, SimilarityError};
use sha2::{Digest as _, Sha256};
use store::tables::{subsidy_plan, subsidy_submission};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{Desk, Member, SubsidyError, boxed, review, view};

/// A comparison: a digest of what it goes by, and the pairs that are alike.
type Found = ([u8; 32], Vec<Pair>);

/// The last comparison of each call. Whoever makes one holds the lock until it is made: it takes a processor for seconds, and who
/// waits for the same finds it there.
static FOUND: Mutex<BTreeMap<String, Found>> = Mutex::const_new(BTreeMap::new());

/// The plans of a call that say the same (雷同), each pair with its passages side by side. What the template says does not count.
///
/// # Errors
/// [`SubsidyError::Similarity`] for more than can be compared; [`SubsidyError::NotFound`]; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn alike(desk: &Desk, member: &Member, programme: &str) -> Result<Vec<Pair>, SubsidyError> {
    let programme = Arc::clone(review::on_page(desk, member, "ranking", programme)?);
    let db = desk.store.read();
    let rows = subsidy_plan::sent(db, &programme.id).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let last = subsidy_submission::last_of_plans(db, &ids).await?;
    let of = |id: &Uuid| last.iter().find(|one| one.plan_id == *id);
    let sent: Vec<&subsidy_submission::Model> = ids.iter().filter_map(of).collect();
    let key = compared(&programme, &sent);
    let mut found = FOUND.lock().await;
    if let Some((known, pairs)) = found.get(&programme.id)
        && *known == key
    {
        return Ok(pairs.clone());
    }
    let mut documents = Vec::with_capacity(sent.len());
    for one in sent {
        documents.push(Document::of(&view::submitted(desk, db, one).await?));
    }
    // the turn ends with the work: a request that was given up still takes its processor, and the next one finds what it made
    let work = move || {
        let pairs = similarity::compare(&documents, &programme)?.into_iter();
        let pairs: Vec<Pair> = pairs.filter(|pair| pair.alike).collect();
        found.insert(programme.id.clone(), (key, pairs.clone()));
        Ok::<_, SimilarityError>(pairs)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(pairs) => Ok(pairs?),
        Err(error) => Err(SubsidyError::Corrupt {
            what: "plan",
            why: format!("the comparison ended early: {error}"),
        }),
    }
}

/// What a comparison goes by: the folder, and what was sent of each plan.
fn compared(programme: &Programme, sent: &[&subsidy_submission::Model]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(format!("{programme:?}"));
    for one in sent {
        digest.update(&one.digest);
    }
    digest.finalize().into()
}
