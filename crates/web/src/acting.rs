//! Acting for somebody (代理): the authorisation of a session is looked at before every page, so that its end is effective on
//! the very next request, in every window.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cases::agents::{self, Party};
use cases::{CaseError, Person, Role, Staff};
use tower_sessions::Session;

use crate::resident::signed_in;
use crate::visit::{self, ActingFor, Visit, Who};
use crate::{App, Problem};

/// The person for whom who is signed in acts, with the agent in it. Only [`gate`] puts it into a request.
#[derive(Clone, Debug)]
pub(crate) struct Principal(pub(crate) Person);

/// Before every page: who acts for somebody does so under an authorisation in force, or is told that it has ended.
pub(crate) async fn gate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let session = request.extensions().get::<Session>().cloned();
    match principal(&app, session.as_ref()).await {
        Ok(Some(person)) => {
            request.extensions_mut().insert(Principal(person));
            next.run(request).await
        }
        Ok(None) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn principal(app: &App, session: Option<&Session>) -> Result<Option<Person>, Problem> {
    let Some(session) = session else { return Ok(None) };
    let visit = Visit::of(session).await?;
    let Some(acting) = &visit.acting else { return Ok(None) };
    let found = match visit.who {
        Who::Resident(id) => match cases::people::get(&app.desk, id).await {
            Ok(person) => agents::act(&app.desk, &Party::Person(&person), acting.authorisation).await,
            Err(error) => Err(error),
        },
        Who::Staff(id) => match cases::staff::get(&app.desk, id).await {
            Ok(staff) => agents::act(&app.desk, &Party::Staff(&staff), acting.authorisation).await,
            Err(error) => Err(error),
        },
        Who::Nobody => Err(CaseError::Stopped),
    };
    match found {
        Ok(person) => Ok(Some(person.proven(visit.verified))),
        Err(CaseError::Stopped | CaseError::NotFound(_)) => {
            Visit::act_for(session, visit.who, None).await?;
            Err(Problem::Stopped)
        }
        Err(error) => Err(error.into()),
    }
}

/// Begins to act: from the next request on the session is the principal's matter.
///
/// # Errors
/// [`Problem::Stopped`] when the authorisation is not in force; what the session's store says.
pub(crate) async fn begin(
    app: &App,
    session: &Session,
    party: &Party<'_>,
    id: civic::ids::AuthorisationId,
) -> Result<(), Problem> {
    let person = agents::act(&app.desk, party, id).await?;
    let who = match party {
        Party::Person(person) => Who::Resident(person.id),
        Party::Staff(staff) => Who::Staff(staff.id),
    };
    let acting = ActingFor {
        authorisation: id,
        name: person.name,
    };
    Visit::act_for(session, who, Some(acting)).await?;
    Ok(())
}

/// Who is signed in, themself, whomever they act for at the moment.
#[derive(Debug)]
pub(crate) enum Myself {
    /// A resident.
    Person(Person),
    /// A member of an organisation, or a village officer.
    Staff(Staff),
}

impl Myself {
    /// As the verbs of agents take them.
    pub(crate) fn party(&self) -> Party<'_> {
        match self {
            Myself::Person(person) => Party::Person(person),
            Myself::Staff(staff) => Party::Staff(staff),
        }
    }
}

impl FromRequestParts<App> for Myself {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if let Who::Staff(id) = visit::visit(parts).await?.who
            && let Ok(staff) = cases::staff::get(&app.desk, id).await
            && matches!(staff.role, Role::Organisation | Role::VillageOfficer)
        {
            return Ok(Myself::Staff(staff));
        }
        Ok(Myself::Person(signed_in(parts, app).await?))
    }
}
