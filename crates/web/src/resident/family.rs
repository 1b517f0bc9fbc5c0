//! Who belongs to the family: persons are added and removed here, wherever no register has brought them.

use askama::Template;
use axum::response::Response;
use cases::collect::{self, Draft, Members};
use services::form::{APPLICANT, Group};

use super::apply;
use crate::address::onward;
use crate::{App, Frame, Posted, Problem, page};

/// One person of the family.
struct Member {
    item: String,
    name: String,
    /// Where the person's details are changed.
    href: String,
    /// The applicant stays.
    may_remove: bool,
}

#[derive(Template)]
#[template(path = "resident/family.html")]
struct FamilyPage {
    frame: Frame,
    id: String,
    address: String,
    title: String,
    members: Vec<Member>,
    may_add: bool,
    revision: i64,
    from: String,
}

/// The group of persons of a form whose page this address is, where the family can have several.
pub(super) fn group<'a>(draft: &'a Draft, address: &str) -> Option<&'a Group> {
    let group = draft.service.form.person_group()?;
    (group.id == address && group.max > 1).then_some(group)
}

/// The page.
pub(super) fn show(frame: Frame, draft: &Draft, group: &Group, from: &str) -> Result<Response, Problem> {
    let items = draft.answers.items(&group.id);
    let form = &draft.service.form;
    let first = form.pages.iter().find(|page| page.group.as_deref() == Some(&group.id));
    let member = |item: &String| Member {
        item: item.clone(),
        name: form.item_name(&group.id, item, &draft.answers, frame.language()),
        href: first.map_or_else(String::new, |page| {
            apply::address(draft.id, &format!("form/{}.{item}?from=check", page.id))
        }),
        may_remove: item != APPLICANT,
    };
    page(&FamilyPage {
        id: draft.id.to_string(),
        address: group.id.clone(),
        title: frame.words.of(&group.title).to_owned(),
        members: items.iter().map(member).collect(),
        may_add: items.len() < group.max,
        revision: draft.revision,
        from: from.to_owned(),
        frame,
    })
}

/// Takes what was pressed: a person more, one fewer, or nobody else.
pub(super) async fn save(
    app: &App,
    person: &cases::Person,
    draft: &Draft,
    posted: &Posted,
) -> Result<Response, Problem> {
    let pressed = posted.text("act");
    let change = match pressed.split_once(':') {
        Some(("remove", item)) => Members::Remove(item.to_owned()),
        _ if pressed == "add" => Members::Add,
        _ => Members::Complete,
    };
    let complete = matches!(change, Members::Complete);
    let revision = posted.value("_revision")?;
    let (draft, added) = collect::members(&app.desk, person, draft.id, revision, change).await?;
    let group = draft.service.form.person_group().map_or("", |group| group.id.as_str());
    let to = match (&added, complete, posted.text("_from")) {
        (Some(page), _, _) => apply::address(draft.id, &format!("form/{page}")),
        (None, true, "check") => apply::address(draft.id, "check"),
        (None, true, _) => apply::question(&draft),
        (None, false, _) => apply::address(draft.id, &format!("form/{group}")),
    };
    Ok(onward(&to))
}
