//! MyData: what is asked for and why, the way there and back, and the platform's notification.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cases::State as CaseState;
use cases::collect::mydata::{self as verbs, Notified};
use cases::collect::{self, MyDataState};
use cases::provide::Answer;
use serde::Deserialize;
use services::Service;

use super::{Resident, apply};
use crate::address::{application, onward};
use crate::components::Banner;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page};

#[derive(Template)]
#[template(path = "resident/mydata.html")]
struct MyDataPage {
    frame: Frame,
    id: String,
    /// Name and agency of each set.
    sets: Vec<(String, String)>,
    stage: Stage,
    /// What happened, where something has.
    news: Option<Banner>,
    /// Where to go on without, or after.
    onward: String,
    connected: bool,
    /// For whom an agent acts; MyData is asked by the person alone.
    principal: Option<String>,
}

/// How far it is.
#[derive(PartialEq)]
enum Stage {
    /// To be asked.
    Ask,
    /// On its way; the page looks again by itself.
    Arriving,
    /// Here.
    Here,
}

/// The data sets of a service: name and agency.
pub(super) fn sets(app: &App, service: &Service, words: Words) -> Vec<(String, String)> {
    let known = service
        .meta
        .mydata
        .iter()
        .filter_map(|id| app.desk.catalogue.mapping(id));
    known
        .map(|mapping| {
            (
                words.of(&mapping.title).to_owned(),
                words.of(&mapping.agency).to_owned(),
            )
        })
        .collect()
}

/// `GET /applications/{id}/mydata`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    resident: Resident,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let draft = collect::draft(&app.desk, &person, application(&id)?).await?;
    if draft.state != CaseState::Draft {
        return Ok(onward(&format!("/applications/{id}")));
    }
    if !draft.agreed {
        return Ok(onward(&apply::next(&draft)));
    }
    let words = frame.words;
    let banner = |success, text: String, detail| {
        Some(Banner {
            words,
            success,
            text,
            detail,
        })
    };
    let (stage, news) = match &draft.mydata {
        MyDataState::NotUsed => (Stage::Ask, None),
        MyDataState::Asked => (Stage::Ask, banner(false, words.t("mydata-not-back"), None)),
        MyDataState::Arriving => (Stage::Arriving, None),
        MyDataState::Arrived { sets, missing } => {
            let detail = (!missing.is_empty()).then(|| {
                let names = missing
                    .iter()
                    .filter_map(|id| app.desk.catalogue.mapping(id))
                    .map(|mapping| words.of(&mapping.title));
                words.t1("mydata-missing", "sets", names.collect::<Vec<_>>().join("、"))
            });
            (Stage::Here, banner(true, words.t1("mydata-here", "sets", sets), detail))
        }
        MyDataState::Ended(code) => {
            let key = format!("mydata-code-{code}");
            let known = words.has(&key);
            (
                Stage::Ask,
                banner(
                    false,
                    if known {
                        words.t(&key)
                    } else {
                        words.t("mydata-code-other")
                    },
                    None,
                ),
            )
        }
    };
    let principal = person.acting().map(|acting| acting.principal_name.clone());
    let news = match &principal {
        Some(name) if asked.asked == "yes" && stage == Stage::Ask => {
            banner(true, words.t1("agent-data-asked", "name", name), None)
        }
        _ => news,
    };
    page(&MyDataPage {
        principal,
        sets: sets(&app, &draft.service, words),
        onward: apply::question(&draft),
        connected: app.desk.mydata.is_some(),
        id,
        stage,
        news,
        frame,
    })
}

/// What the page is told of before.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    asked: String,
}

/// `POST /applications/{id}/mydata/ask`: an agent asks the person to fetch their data themself.
pub(super) async fn ask(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    _: Posted,
) -> Result<Response, Problem> {
    cases::agents::ask_for_data(&app.desk, &resident.person, application(&id)?).await?;
    Ok(onward(&format!("/applications/{id}/mydata?asked=yes")))
}

/// `POST /applications/{id}/mydata`: sends the browser to the platform.
pub(super) async fn go(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    _: Posted,
) -> Result<Response, Problem> {
    let to = verbs::begin(
        &app.desk,
        &resident.person,
        application(&id)?,
        resident.frame.language(),
    )
    .await?;
    Ok(onward(to.as_str()))
}

/// `GET /mydata/return`: the platform sent the browser back.
pub(super) async fn returned(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    resident: Resident,
) -> Result<Response, Problem> {
    let (id, _) = verbs::returned(&app.desk, &resident.person, &query.unwrap_or_default()).await?;
    Ok(onward(&apply::address(id, "mydata")))
}

/// `GET` or `POST /mydata/provider/{resource}`: the platform fetches a data set of the city for a citizen.
pub(super) async fn provide(
    State(app): State<App>,
    Path(resource): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if app.desk.provider.is_none() {
        return Err(Problem::NotFound);
    }
    // one value of a name; a header sent twice is read as none
    let header = |name: &str| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        value.to_str().ok()
    };
    let answer = cases::provide::answer(&app.desk, &resource, header).await?;
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok(match answer {
        Answer::Package(bytes) => (status, [(header::CONTENT_TYPE, "application/zip")], bytes).into_response(),
        Answer::Later(wait) => {
            let seconds = wait.as_secs().max(1).to_string();
            (status, [(header::RETRY_AFTER, seconds)]).into_response()
        }
        _ => status.into_response(),
    })
}

/// `POST /mydata/notify`: the platform's notification. Taken is 200, never 201; what is not genuine is 403.
pub(super) async fn notified(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let answer = verbs::notified(&app.desk, kind, &body).await?;
    Ok(match answer {
        Notified::Accepted | Notified::Repeated => StatusCode::OK.into_response(),
        Notified::Refused => Problem::Forbidden.into_response(),
    })
}
