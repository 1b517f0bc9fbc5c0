//! Who looked at my data (誰看過我的資料): every entry of the usage ledger about the person, in plain words.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cases::mine;
use store::ledger::ActorKind;

use super::{Resident, agents};
use crate::{App, Frame, Problem, page};

/// Key of the word for an actor who is no agent.
fn actor(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::System => "actor-system",
        ActorKind::Staff => "actor-staff",
        ActorKind::Resident => "actor-person",
        ActorKind::Organisation => "actor-organisation",
    }
}

/// Entries shown; older ones are told on request.
const SHOWN: u64 = 200;

/// One use of the person's data.
struct Use {
    when: String,
    who: String,
    what: String,
    basis: String,
}

#[derive(Template)]
#[template(path = "resident/my_data.html")]
struct MyDataPage {
    frame: Frame,
    name: String,
    uses: Vec<Use>,
}

/// `GET /my-data`
pub(super) async fn show(State(app): State<App>, resident: Resident) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let words = frame.words;
    let found = mine::uses(&app.desk, &person, SHOWN).await?;
    let names = agents::names(&app, &person).await?;
    let uses = found.iter().map(|recorded| {
        let entry = &recorded.entry;
        Use {
            when: words.time(entry.at),
            who: agents::who(words, &names, &person, entry).unwrap_or_else(|| words.t(actor(entry.actor))),
            what: agents::what(words, &entry.action),
            basis: entry.purpose.basis.clone(),
        }
    });
    page(&MyDataPage {
        uses: uses.collect(),
        name: person.name.clone(),
        frame,
    })
}
