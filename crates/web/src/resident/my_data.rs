//! Who looked at my data (誰看過我的資料): every entry of the usage ledger about the person, in plain words.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use cases::{CaseError, mine};
use serde::Deserialize;
use store::ledger::ActorKind;

use super::{Resident, agents};
use crate::address::onward;
use crate::{App, Frame, Posted, Problem, page};

/// Key of the word for an actor who is no agent.
fn actor(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::System => "actor-system",
        ActorKind::Staff => "actor-staff",
        ActorKind::Resident => "actor-person",
        ActorKind::Organisation => "actor-organisation",
    }
}

/// Entries of one page.
const SHOWN: usize = 100;

/// One use of the person's data.
struct Use {
    when: String,
    who: String,
    what: String,
    basis: String,
    /// Number of the entry.
    entry: u64,
}

/// A breach of personal data of which the person is told.
struct BreachRow {
    at: String,
    text: String,
}

/// A result left with an office.
struct LeftRow {
    id: String,
    service: String,
    text: String,
}

#[derive(Template)]
#[template(path = "resident/my_data.html")]
struct MyDataPage {
    frame: Frame,
    name: String,
    /// Breaches of which the person is told.
    breaches: Vec<BreachRow>,
    uses: Vec<Use>,
    /// Results left with offices.
    left: Vec<LeftRow>,
    /// Whether the person wants to be told of what they may be entitled to; nothing where that is not theirs to say.
    wants: Option<bool>,
    /// Whether this is not the newest page.
    later: bool,
    /// The entry before which the next page begins, where there are more.
    older: Option<u64>,
}

/// Which page is asked for.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// The entries before this one.
    before: Option<u64>,
}

/// `GET /my-data`
pub(super) async fn show(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    resident: Resident,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let words = frame.words;
    // one more than is shown tells whether there are more
    let most = u64::try_from(SHOWN).unwrap_or(u64::MAX).saturating_add(1);
    let found = mine::uses(&app.desk, &person, asked.before, most).await?;
    let names = agents::names(&app, &person).await?;
    let last = found.get(SHOWN.saturating_sub(1)).filter(|_| found.len() > SHOWN);
    let older = last.map(|recorded| recorded.seq);
    let uses = found.iter().take(SHOWN).map(|recorded| {
        let entry = &recorded.entry;
        Use {
            when: words.time(entry.at),
            who: agents::who(words, &names, &person, entry).unwrap_or_else(|| words.t(actor(entry.actor))),
            what: agents::what(words, &entry.action),
            basis: entry.purpose.basis.clone(),
            entry: recorded.seq,
        }
    });
    let left = cases::find::follow::left(&app.desk, &person).await?;
    let left = left.into_iter().map(|one| LeftRow {
        id: one.id.to_string(),
        service: words.of(&one.service.meta.name).to_owned(),
        text: words.with(
            "find-left-row",
            &[
                ("agency", words.of(&one.service.meta.agency).to_owned()),
                ("at", words.time(one.agreed)),
                ("until", words.date(one.until)),
            ],
        ),
    });
    let breaches = match cases::breach::mine(&app.desk, &person).await {
        // who acts for somebody is not told
        Err(CaseError::Refused(_)) => Vec::new(),
        other => other?,
    };
    let breaches = breaches.into_iter().map(|one| BreachRow {
        at: words.with(
            "my-data-breach-at",
            &[("at", words.time(one.at)), ("number", one.number)],
        ),
        text: one.text,
    });
    let wants = cases::outreach::wants(&app.desk, &person).await.ok();
    page(&MyDataPage {
        wants,
        left: left.collect(),
        uses: uses.collect(),
        breaches: breaches.collect(),
        later: asked.before.is_some(),
        older,
        name: person.name.clone(),
        frame,
    })
}

/// `POST /my-data/results/{id}/withdraw`: takes a result back that was left with an office.
pub(super) async fn take_back(
    State(app): State<App>,
    Path(result): Path<String>,
    resident: Resident,
    _: Posted,
) -> Result<Response, Problem> {
    let id = uuid::Uuid::parse_str(&result).map_err(|_| Problem::NotFound)?;
    cases::find::follow::take_back(&app.desk, &resident.person, id).await?;
    Ok(onward("/my-data"))
}
