//! Who belongs to the family.

use askama::Template;
use axum::response::Response;
use cases::find::{FAMILY, MOST, Screening};
use services::form::APPLICANT;
use tower_sessions::Session;

use super::{START, called, go_on, keep, question_at};
use crate::address::onward;
use crate::components::{Control, Field, Typed};
use crate::{App, Frame, Posted, Problem, page};

/// One person of the family.
struct Member {
    id: String,
    name: String,
    /// The person who asks stays.
    may_remove: bool,
}

#[derive(Template)]
#[template(path = "resident/find_family.html")]
struct FamilyPage {
    frame: Frame,
    here: String,
    members: Vec<Member>,
    /// What to call one more person; none when the family is full.
    add: Option<Field>,
    back: String,
}

pub(super) fn show(frame: Frame, screening: &Screening) -> Result<Response, Problem> {
    let words = frame.words;
    let members = screening.members.iter().map(|member| Member {
        id: member.id.clone(),
        name: called(words, screening, &member.id),
        may_remove: member.id != APPLICANT,
    });
    let typed = Typed {
        width: 20,
        ..Typed::default()
    };
    let add = (screening.members.len() < MOST).then(|| Field {
        hint: Some(words.t("find-family-called-hint")),
        ..Field::new(words, "called", words.t("find-family-called"), Control::Input(typed))
    });
    page(&FamilyPage {
        here: question_at(FAMILY),
        members: members.collect(),
        add,
        back: screening.before(FAMILY).map_or_else(|| START.to_owned(), question_at),
        frame,
    })
}

/// Takes what was pressed: a person more, one fewer, or nobody else.
pub(super) async fn save(
    app: &App,
    session: &Session,
    mut screening: Screening,
    posted: &Posted,
) -> Result<Response, Problem> {
    let pressed = posted.text("act");
    match pressed.split_once(':') {
        Some(("remove", person)) => screening.remove(person),
        _ if pressed == "add" => {
            screening.add(posted.text("called"));
        }
        _ => {
            screening.complete();
            return go_on(app, session, screening).await;
        }
    }
    keep(session, &screening).await?;
    Ok(onward(&question_at(FAMILY)))
}
