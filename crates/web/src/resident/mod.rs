//! The pages of residents (民眾): services, sign-in, an application from the notice to the survey, and their own data.

mod account;
mod agent;
pub(crate) mod agent_form;
mod agents;
mod appeal;
mod apply;
pub(crate) mod card;
mod case;
mod change;
mod channels;
mod check;
pub(crate) mod explained;
mod family;
pub(crate) mod fields;
mod find;
mod form;
mod held;
mod home;
mod invitation;
mod my_data;
mod mydata;
mod notice;
pub(crate) mod rights;
mod roll;
mod rounds;
mod sign_in;
mod signature;
mod survey;
mod wallet;
mod withdraw;

pub(crate) use agents::standing;
pub(crate) use sign_in::event_text;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::routing::{get, post};
use cases::{CaseError, Person};

pub(crate) use fields::field as form_field;

use crate::acting::Principal;
use crate::visit::{self, SignedIn};
use crate::{App, Frame, Problem, frame};

/// The pages of residents.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(home::show))
        .route("/services/{id}", get(home::service))
        .route("/services/{id}/start", post(apply::start))
        .route("/help", get(home::help))
        .route("/privacy", get(home::privacy))
        .route("/accessibility", get(home::accessibility))
        .merge(sign_in::routes())
        .route("/applications", get(case::list))
        .route("/applications/{id}", get(case::show))
        .route("/applications/{id}/notice", get(notice::show).post(notice::agree))
        .route("/applications/{id}/held", get(held::show).post(held::take))
        .route("/applications/{id}/mydata", get(mydata::show).post(mydata::go))
        .route("/applications/{id}/wallet", get(wallet::show).post(wallet::ask))
        .route("/applications/{id}/wallet/state", get(wallet::state))
        .route("/applications/{id}/card", get(card::show).post(card::offer))
        .route("/applications/{id}/card/state", get(card::state))
        .route("/applications/{id}/form/{address}", get(form::show).post(form::save))
        .route("/applications/{id}/check", get(check::show).post(check::submit))
        .route("/applications/{id}/correct", post(check::correct))
        .route("/applications/{id}/done", get(check::done))
        .route(
            "/applications/{id}/withdraw",
            get(withdraw::show).post(withdraw::withdraw),
        )
        .route("/applications/{id}/object", post(roll::object))
        .route("/applications/{id}/change", post(change::report))
        .route("/applications/{id}/account", get(account::show).post(account::save))
        .route("/applications/{id}/survey", get(survey::show).post(survey::answer))
        .route("/applications/{id}/appeal", get(appeal::show).post(appeal::lodge))
        .route("/applications/{id}/appeal/{appeal}/withdraw", post(appeal::withdraw))
        .route("/applications/{id}/letters/{letter}", get(case::letter))
        .route("/applications/{id}/tickets/{ticket}/{answer}", post(rounds::answer))
        .route("/rounds/{service}/{round}", get(rounds::show))
        .route("/rounds/{service}/{round}/{file}", get(rounds::file))
        .route("/mydata/return", get(mydata::returned))
        .route("/mydata/notify", post(mydata::notified))
        .route(
            "/mydata/provider/{resource}",
            get(mydata::provide).post(mydata::provide),
        )
        .route("/my-data", get(my_data::show))
        .route("/my-data/requests", get(rights::show).post(rights::make))
        .route("/my-data/requests/{id}/withdraw", post(rights::withdraw))
        .route("/my-data/copy", get(rights::copy))
        .route("/my-data/results/{id}/withdraw", post(my_data::take_back))
        .route("/my-data/invitations", post(invitation::prefer))
        .route("/my-data/channels", get(channels::show))
        .route("/my-data/channels/{kind}", post(channels::open))
        .route("/my-data/channels/{id}/{act}", post(channels::act))
        .route("/line/webhook", post(channels::line))
        .route("/push-worker.js", get(channels::worker))
        .route("/invitations/{token}", get(invitation::show))
        .route("/invitations/{token}/stop", post(invitation::stop))
        .merge(find::routes())
        .route("/applications/{id}/mydata/ask", post(mydata::ask))
        .route(
            "/applications/{id}/mydata/sign",
            get(signature::show).post(signature::sign),
        )
        .route("/agents", get(agents::list))
        .route("/agents/new", get(agents::new).post(agents::give))
        .route("/agents/{id}", get(agents::show).post(agents::end))
        .route("/agent", get(agent::list))
        .route("/agent/stopped", get(agent::stopped))
        .route("/agent/stop", post(agent::stop))
        .route("/agent/{id}", get(agent::show))
        .route("/agent/{id}/{act}", post(agent::act))
}

/// The person who signed in, for themself.
pub(crate) async fn signed_in(parts: &mut Parts, app: &App) -> Result<Person, Problem> {
    let SignedIn(id) = SignedIn::from_request_parts(parts, app).await?;
    let verified = visit::visit(parts).await?.verified;
    match cases::people::get(&app.desk, id).await {
        Err(CaseError::NotFound(_)) => Err(Problem::SignIn {
            to: "/sign-in",
            back: None,
        }),
        other => Ok(other?.proven(verified)),
    }
}

/// The resident whose matters a page is about, with the surroundings of the page: who signed in, or for whom they act.
#[derive(Debug)]
pub(crate) struct Resident {
    pub(crate) frame: Frame,
    pub(crate) person: Person,
}

impl FromRequestParts<App> for Resident {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let person = match parts.extensions.get::<Principal>() {
            Some(Principal(person)) => person.clone(),
            None => signed_in(parts, app).await?,
        };
        let visit = visit::visit(parts).await?;
        let frame = Frame::new(
            Arc::clone(&app.site),
            frame::language(&parts.headers),
            visit,
            &parts.uri,
        );
        Ok(Resident { frame, person })
    }
}
