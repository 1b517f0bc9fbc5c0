//! Where a person wants to be told (通知管道): mail, text messages, LINE, notifications of the browser. Each is opened by an act
//! and a proof, and ended by one button.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use cases::CaseError;
use cases::channels::{self, ChannelView};
use civic::Language;
use civic::ids::ChannelId;
use serde::Deserialize;
use store::tables::channel::{Kind, State as Standing};

use super::Resident;
use crate::address::{id, onward};
use crate::components::{Banner, Colour, Control, ErrorSummary, Field, Tag, Typed};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, assets, page_with};

/// The page.
const HERE: &str = "/my-data/channels";

/// A channel in words.
struct Row {
    id: String,
    shown: String,
    tag: Tag,
    at: String,
    /// Why it is gone.
    gone: Option<String>,
    /// Whether it can be ended.
    stands: bool,
    /// The field of the code that was sent there.
    code: Option<Field>,
    /// The code to be written to the city's LINE account.
    line_code: Option<String>,
    until: Option<String>,
}

/// One kind of channel.
struct Part {
    word: &'static str,
    title: String,
    text: String,
    rows: Vec<Row>,
    /// The field of an address, where one is typed.
    field: Option<Field>,
    button: String,
}

#[derive(Template)]
#[template(path = "resident/channels.html")]
struct ChannelsPage {
    frame: Frame,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    parts: Vec<Part>,
    /// Languages of what is sent: tag, language, whether it is chosen; none without a channel.
    languages: Vec<(&'static str, Language, bool)>,
    push_key: String,
    line_friend: Option<String>,
}

/// What was typed and can't be taken: the field, what is wrong, and what stood in it.
struct Wrong {
    field: String,
    message: String,
    typed: String,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    done: String,
}

/// Words that the address may carry after an act.
const DONE: [&str; 5] = ["asked", "confirmed", "withdrawn", "language", "linking"];

fn tag(words: Words, state: Standing) -> Tag {
    match state {
        Standing::Asked => Tag::new(words.t("channels-state-asked"), Colour::Yellow),
        Standing::Confirmed => Tag::new(words.t("channels-state-confirmed"), Colour::Green),
        Standing::Withdrawn => Tag::new(words.t("channels-state-withdrawn"), Colour::Grey),
        Standing::Gone => Tag::new(words.t("channels-state-gone"), Colour::Red),
    }
}

fn code_field(words: Words, kind: Kind, wrong: Option<&Wrong>) -> Field {
    let name = format!("code-{}", kind.word());
    let typed = Typed {
        mode: "numeric",
        autocomplete: "one-time-code",
        width: 10,
        ..Typed::default()
    };
    let mut field = Field::new(words, &name, words.t("channels-code"), Control::Input(typed));
    field.hint = Some(words.t("channels-code-hint"));
    field.error = wrong
        .filter(|wrong| wrong.field == name)
        .map(|wrong| wrong.message.clone());
    field
}

fn row(words: Words, view: ChannelView, wrong: Option<&Wrong>) -> Row {
    let waits = view.state == Standing::Asked && view.kind != Kind::Line;
    let gone = (view.state == Standing::Gone).then(|| {
        let key = match view.problem.as_deref() {
            Some("unfollowed") => "channels-gone-unfollowed",
            Some("refused") => "channels-gone-refused",
            _ => "channels-gone",
        };
        words.t(key)
    });
    Row {
        id: view.id.to_string(),
        tag: tag(words, view.state),
        at: words.time(view.at),
        stands: matches!(view.state, Standing::Asked | Standing::Confirmed),
        code: waits.then(|| code_field(words, view.kind, wrong)),
        // a code that is over is not shown: there is a button for another one
        line_code: view.code.filter(|_| view.code_until.is_some()),
        until: view.code_until.map(|until| words.time(until)),
        shown: match view.shown.is_empty() {
            true => words.t(&format!("channels-{}", view.kind.word())),
            false => view.shown,
        },
        gone,
    }
}

fn address_field(words: Words, kind: Kind, wrong: Option<&Wrong>) -> Option<Field> {
    let (input, mode, autocomplete, width) = match kind {
        Kind::Email => ("email", "email", "email", 30),
        Kind::Sms => ("tel", "tel", "tel-national", 20),
        Kind::Line | Kind::Push => return None,
    };
    let wrong = wrong.filter(|wrong| wrong.field == kind.word());
    let typed = Typed {
        value: wrong.map(|wrong| wrong.typed.clone()).unwrap_or_default(),
        kind: input,
        mode,
        autocomplete,
        width,
        ..Typed::default()
    };
    let label = words.t(&format!("channels-{}-label", kind.word()));
    let mut field = Field::new(words, kind.word(), label, Control::Input(typed));
    field.error = wrong.map(|wrong| wrong.message.clone());
    Some(field)
}

async fn render(app: &App, resident: Resident, done: Option<&str>, wrong: Option<Wrong>) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let words = frame.words;
    let view = channels::overview(&app.desk, &person).await?;
    let mut rows: Vec<(Kind, Row)> = view
        .channels
        .into_iter()
        .map(|channel| (channel.kind, row(words, channel, wrong.as_ref())))
        .collect();
    let mut parts = Vec::new();
    for kind in Kind::ALL {
        let (own, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(of, _)| *of == kind);
        rows = others;
        // what stands can be ended also where the city can send nothing more there
        if !view.offered.contains(&kind) && own.is_empty() {
            continue;
        }
        let word = kind.word();
        let own: Vec<Row> = own.into_iter().map(|(_, row)| row).collect();
        let more = if own.iter().any(|row| row.stands) {
            "other"
        } else {
            "add"
        };
        parts.push(Part {
            word,
            title: words.t(&format!("channels-{word}")),
            text: words.t(&format!("channels-{word}-text")),
            rows: own,
            field: address_field(words, kind, wrong.as_ref()).filter(|_| view.offered.contains(&kind)),
            button: words.t(&format!("channels-{word}-{more}")),
        });
    }
    let status = match wrong {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let languages = view.language.into_iter().flat_map(|chosen| {
        Language::ALL
            .into_iter()
            .map(move |language| (language.tag(), language, language == chosen))
    });
    page_with(
        status,
        &ChannelsPage {
            done: done.map(|word| Banner {
                words,
                success: true,
                text: words.t(&format!("channels-done-{word}")),
                detail: None,
            }),
            errors: wrong.map(|wrong| ErrorSummary {
                words,
                errors: vec![(wrong.field, wrong.message)],
            }),
            parts,
            languages: languages.collect(),
            push_key: view.push_key.unwrap_or_default(),
            line_friend: view.line_friend,
            frame,
        },
    )
}

/// `GET /my-data/channels`
pub(super) async fn show(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    resident: Resident,
) -> Result<Response, Problem> {
    let done = DONE.into_iter().find(|word| *word == asked.done);
    render(&app, resident, done, None).await
}

/// The sentence for what can't be taken.
fn sentence(words: Words, field: &str, problem: &str) -> String {
    let key = format!("channels-error-{field}-{}", problem.replace('_', "-"));
    match words.has(&key) {
        true => words.t(&key),
        false => words.t(&format!("channels-error-{}", problem.replace('_', "-"))),
    }
}

/// `POST /my-data/channels/{kind}`: wants to be told there; or `language`: in which language.
pub(super) async fn open(
    State(app): State<App>,
    Path(word): Path<String>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let (desk, person, language) = (&app.desk, &resident.person, resident.frame.language());
    let result = match (word.as_str(), Kind::parse(&word)) {
        ("language", _) => {
            let chosen = posted.value::<String>("language")?;
            let chosen = chosen.parse().map_err(|()| Problem::Unusable)?;
            channels::speak(desk, person, chosen).await.map(|()| "language")
        }
        (_, Some(kind @ (Kind::Email | Kind::Sms))) => {
            channels::ask(desk, person, kind, posted.text(kind.word()), language)
                .await
                .map(|_| "asked")
        }
        (_, Some(Kind::Line)) => channels::link(desk, person, language).await.map(|_| "linking"),
        (_, Some(Kind::Push)) => channels::subscribe(desk, person, posted.text("subscription"), language)
            .await
            .map(|_| "confirmed"),
        (_, None) => return Err(Problem::NotFound),
    };
    match result {
        Ok(done) => Ok(onward(&format!("{HERE}?done={done}"))),
        Err(CaseError::Input { field, problem }) => {
            let wrong = Wrong {
                message: sentence(resident.frame.words, field, problem),
                typed: posted.text(field).chars().take(300).collect(),
                field: field.to_owned(),
            };
            render(&app, resident, None, Some(wrong)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /my-data/channels/{id}/{act}`: types the code, has another one sent, or ends it.
pub(super) async fn act(
    State(app): State<App>,
    Path((channel, act)): Path<(String, String)>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let (desk, person) = (&app.desk, &resident.person);
    let channel = ChannelId::from_uuid(id(&channel)?);
    let code = ["code-email", "code-sms"]
        .into_iter()
        .find(|name| posted.raw.contains_key(*name));
    let result = match act.as_str() {
        "confirm" => channels::confirm(desk, person, channel, posted.text(code.unwrap_or_default()))
            .await
            .map(|()| "confirmed"),
        "again" => channels::ask_again(desk, person, channel).await.map(|_| "asked"),
        "withdraw" => channels::withdraw(desk, person, channel).await.map(|()| "withdrawn"),
        _ => return Err(Problem::NotFound),
    };
    match result {
        Ok(done) => Ok(onward(&format!("{HERE}?done={done}"))),
        Err(CaseError::Input { field, problem }) => {
            let wrong = Wrong {
                message: sentence(resident.frame.words, field, problem),
                typed: String::new(),
                field: match field {
                    "code" => code.unwrap_or("code").to_owned(),
                    other => other.to_owned(),
                },
            };
            render(&app, resident, None, Some(wrong)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /line/webhook`: what LINE tells of the city's account.
pub(super) async fn line(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let signature = headers.get("x-line-signature").and_then(|value| value.to_str().ok());
    match channels::told(&app.desk, &body, signature.unwrap_or_default()).await {
        Ok(()) => Ok(StatusCode::OK.into_response()),
        Err(CaseError::Input { field: "signature", .. }) => Err(Problem::Forbidden),
        Err(CaseError::Input { .. }) => Err(Problem::Unusable),
        Err(error) => Err(error.into()),
    }
}

/// `GET /push-worker.js`: the script that shows notifications. It stands at the root, because a browser lets it see no more
/// than what lies below its own address, and is asked for anew each time.
pub(super) async fn worker() -> Response {
    match assets::content("push-worker.js") {
        Some((kind, content)) => ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], content).into_response(),
        None => Problem::NotFound.into_response(),
    }
}
