//! Breaches of personal data (個資事故): the list, and one breach from its discovery to its end. Names stand on the page of persons only.

use std::collections::BTreeMap;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use cases::breach::{self, Event, File, Line, Means, Opening, Scope, State as Step, Told};
use cases::{CaseError, Desk, Staff};
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::{TimeZone, offset};
use serde::Deserialize;

use super::audit::{day, short_time};
use super::{Duty, done, overtaken};
use crate::address::{id, onward};
use crate::components::{
    Banner, Cell, Choice, Colour, Control, ErrorSummary, Field, Head, Row, SummaryList, Table, Tag, Typed,
};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

/// Where the list is.
pub(super) const HERE: &str = "/office/breaches";

/// The pages of breaches.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(HERE, get(list).post(open))
        .route("/office/breaches/{id}", get(show))
        .route("/office/breaches/{id}/report", get(report))
        .route("/office/breaches/{id}/persons", get(persons))
        .route("/office/breaches/{id}/{act}", post(act))
}

/// What was typed, by name of input.
type Kept = BTreeMap<String, String>;

fn kept(posted: &Posted) -> Kept {
    let first = |(name, values): (&String, &Vec<String>)| {
        let value = values.first()?.replace("\r\n", "\n");
        Some((name.clone(), value))
    };
    posted.raw.iter().filter_map(first).collect()
}

/// A time as `115/11/28 14:30`, in legal time.
fn moment(text: &str) -> Option<Timestamp> {
    let (date, clock) = text.trim().split_once(char::is_whitespace)?;
    let clock = clock.trim();
    let clock = if clock.len() == 4 {
        format!("0{clock}")
    } else {
        clock.to_owned()
    };
    let time: Time = clock.parse().ok()?;
    TimeZone::fixed(offset(8))
        .to_timestamp(day(date.trim())?.to_datetime(time))
        .ok()
}

/// The same way round, to the minute.
fn typed_time(words: Words, at: Timestamp) -> String {
    let text = short_time(words, at);
    text.rsplit_once(':')
        .map_or(text.clone(), |(minute, _)| minute.to_owned())
}

/// Why an input can't be, in words.
fn wrong(words: Words, field: &str, problem: &str) -> String {
    for key in [
        format!("office-breach-error-{field}-{problem}"),
        format!("office-breach-error-{problem}"),
    ] {
        let key = key.replace('_', "-");
        if words.has(&key) {
            return words.t(&key);
        }
    }
    words.t("office-breach-error-empty")
}

/// An input that can't be, and why.
type Mistake = (String, String);

fn time_of(words: Words, kept: &Kept, field: &'static str) -> Result<Timestamp, Mistake> {
    let text = kept.get(field).map(String::as_str).unwrap_or_default();
    moment(text).ok_or_else(|| (field.to_owned(), wrong(words, field, "time")))
}

/// Makes fields that know what was typed, what is kept, and what was wrong.
struct Fields<'a> {
    words: Words,
    kept: &'a Kept,
    error: Option<&'a Mistake>,
}

impl Fields<'_> {
    fn value(&self, name: &str, stored: &str) -> String {
        self.kept.get(name).cloned().unwrap_or_else(|| stored.to_owned())
    }

    /// With what is wrong with it.
    fn told(&self, mut field: Field) -> Field {
        let error = self.error.filter(|(name, _)| *name == field.name);
        field.error = error.map(|(_, text)| text.clone());
        field
    }

    fn keyed(&self, name: &str, control: Control) -> Field {
        self.told(Field::keyed(
            self.words,
            name,
            &format!("office-breach-{name}"),
            control,
        ))
    }

    fn line(&self, name: &str, stored: &str, width: u8) -> Field {
        let typed = Typed {
            value: self.value(name, stored),
            width,
            ..Typed::default()
        };
        self.keyed(name, Control::Input(typed))
    }

    fn area(&self, name: &str, stored: &str) -> Field {
        let value = self.value(name, stored);
        self.keyed(name, Control::TextArea { value, rows: 5 })
    }

    fn choices(&self, name: &str, stored: &str, all: Vec<(String, String)>) -> Vec<Choice> {
        let chosen = self.value(name, stored);
        let choice = |(value, label): (String, String)| Choice {
            chosen: value == chosen,
            value,
            label,
            hint: None,
        };
        all.into_iter().map(choice).collect()
    }
}

#[derive(Template)]
#[template(path = "office/breaches.html")]
struct ListPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    breaches: Table,
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

fn state(words: Words, line: &Line) -> Tag {
    let (key, colour) = match line.state {
        Step::Open => ("open", Colour::Red),
        Step::Telling => ("telling", Colour::Yellow),
        Step::Told => ("told", Colour::Blue),
        Step::Closed => ("closed", Colour::Grey),
    };
    Tag::new(words.t(&format!("office-breach-state-{key}")), colour)
}

/// How much time is left to report.
fn left(words: Words, due: Timestamp, now: Timestamp) -> String {
    let hours = due.duration_since(now).as_hours();
    if due < now {
        words.t1("office-breach-late", "n", hours.unsigned_abs())
    } else {
        words.t1("office-breach-left", "n", hours)
    }
}

async fn listed(
    app: &App,
    duty: Duty,
    said: Option<Banner>,
    kept: &Kept,
    error: Option<&Mistake>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let now = app.desk.now();
    let rows = breach::list(&app.desk, &staff).await?.into_iter().map(|line| {
        let title = if line.drill {
            words.t1("office-breach-drill-title", "title", &line.title)
        } else {
            line.title.clone()
        };
        vec![
            Cell::link(line.number.clone(), format!("{HERE}/{}", line.id)),
            Cell::text(title),
            Cell::tag(state(words, &line)),
            Cell::text(short_time(words, line.discovered)),
            Cell::text(
                line.report_due
                    .map_or_else(|| words.t("none"), |due| left(words, due, now)),
            ),
            Cell::text(
                line.concerned
                    .map_or_else(|| words.t("none"), |count| count.to_string()),
            ),
        ]
    });
    let heads = [
        ("office-breach-no", false),
        ("office-breach-title", false),
        ("office-queue-state", false),
        ("office-breach-discovered", false),
        ("office-breach-report-left", false),
        ("office-breach-concerned", true),
    ];
    let breaches = Table {
        caption: words.t("office-nav-breaches"),
        head: Head::all(words, &heads),
        rows: rows.collect(),
    };
    let fields = Fields { words, kept, error };
    let kinds = ["real", "drill"].map(|kind| (kind.to_owned(), words.t(&format!("office-breach-kind-{kind}"))));
    let kinds = fields.choices("kind", "real", kinds.to_vec());
    let all = vec![
        fields.line("title", "", 0),
        fields.line("discovered", &typed_time(words, now), 20),
        fields.keyed("kind", Control::Radios(kinds)),
    ];
    let status = error.map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
    let page = ListPage {
        done: said,
        errors: error.map(|mistake| ErrorSummary {
            words,
            errors: vec![mistake.clone()],
        }),
        breaches,
        fields: all,
        frame,
        staff,
    };
    page_with(status, &page)
}

/// `GET /office/breaches`
async fn list(State(app): State<App>, duty: Duty, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let said = done(&duty.frame, &asked.done);
    listed(&app, duty, said, &Kept::new(), None).await
}

/// `POST /office/breaches`: opens one.
async fn open(State(app): State<App>, duty: Duty, posted: Posted) -> Result<Response, Problem> {
    let (words, kept) = (duty.frame.words, kept(&posted));
    let opening = time_of(words, &kept, "discovered").map(|discovered| Opening {
        title: posted.text("title").to_owned(),
        discovered,
        drill: posted.text("kind") == "drill",
    });
    let opened = match opening {
        Ok(opening) => breach::open(&app.desk, &duty.staff, opening).await,
        Err(mistake) => return listed(&app, duty, None, &kept, Some(&mistake)).await,
    };
    match opened {
        Ok(id) => Ok(onward(&format!("{HERE}/{id}?done=breach-opened"))),
        Err(CaseError::Input { field, problem }) => {
            let mistake = (field.to_owned(), wrong(words, field, problem));
            listed(&app, duty, None, &kept, Some(&mistake)).await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "office/breach.html")]
struct BreachPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    here: String,
    number: String,
    title: String,
    drill: bool,
    state: Tag,
    revision: i64,
    facts: Vec<(String, String)>,
    /// What was said of the scope, where it was.
    scope: Option<String>,
    /// Whether persons are being counted.
    counting: bool,
    /// Uses that name nobody.
    unnamed: Option<String>,
    scope_fields: Vec<Field>,
    ascertain_field: Option<Field>,
    report_fields: Vec<Field>,
    sent_fields: Vec<Field>,
    tell_field: Option<Field>,
    told: Option<String>,
    counts: SummaryList,
    letters_field: Option<Field>,
    close_field: Option<Field>,
    measures: Option<String>,
    history: Table,
}

fn scope_text(words: Words, desk: &Desk, scope: &Scope) -> String {
    let means = match scope.means {
        Means::Used => "office-breach-means-used",
        Means::Kept => "office-breach-means-kept",
    };
    let service = scope.service.as_ref().map(|service| {
        let found = desk.catalogue.name(service);
        found.map_or_else(|| service.clone(), |name| words.of(name).to_owned())
    });
    let span = format!("{} – {}", typed_time(words, scope.from), typed_time(words, scope.to));
    let parts = [
        Some(words.t(means)),
        Some(span),
        scope.account.clone(),
        scope.number.clone(),
        service,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("；")
}

fn scope_fields(fields: &Fields<'_>, desk: &Desk, file: &File, now: Timestamp) -> Vec<Field> {
    let words = fields.words;
    let stored = file.scope.as_ref();
    let means = [
        ("used", "office-breach-means-used"),
        ("kept", "office-breach-means-kept"),
    ];
    let means = means.map(|(word, key)| (word.to_owned(), words.t(key))).to_vec();
    let chosen = match stored.map(|scope| scope.means) {
        Some(Means::Kept) => "kept",
        _ => "used",
    };
    let mut services = vec![(String::new(), words.t("office-breach-service-all"))];
    services.extend(
        desk.catalogue
            .all()
            .map(|service| (service.id.clone(), words.of(&service.meta.name).to_owned())),
    );
    let service = stored.and_then(|scope| scope.service.clone()).unwrap_or_default();
    let from = stored.map_or(file.line.discovered, |scope| scope.from);
    let to = stored.map_or(now, |scope| scope.to);
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    vec![
        fields.keyed("means", Control::Radios(fields.choices("means", chosen, means))),
        fields.line("from", &typed_time(words, from), 20),
        fields.line("to", &typed_time(words, to), 20),
        fields.line("account", &text(stored.and_then(|scope| scope.account.as_ref())), 20),
        fields.line("number", &text(stored.and_then(|scope| scope.number.as_ref())), 20),
        fields.keyed(
            "service",
            Control::Select(fields.choices("service", &service, services)),
        ),
    ]
}

fn report_fields(fields: &Fields<'_>, desk: &Desk, file: &File) -> Vec<Field> {
    let words = fields.words;
    let one = |field: &breach::Field| {
        let name = format!("report-{}", field.name);
        let stored = file.report.get(&field.name).cloned().unwrap_or_default();
        let hint = field.hint.as_ref().map(|hint| words.of(hint).to_owned());
        let label = words.of(&field.title).to_owned();
        let control = if !field.choices.is_empty() {
            let all = field.choices.iter();
            let all = all.map(|choice| (choice.name.clone(), words.of(&choice.title).to_owned()));
            Control::Radios(fields.choices(&name, &stored, all.collect()))
        } else if field.lines {
            Control::TextArea {
                value: fields.value(&name, &stored),
                rows: 4,
            }
        } else {
            Control::Input(Typed {
                value: fields.value(&name, &stored),
                ..Typed::default()
            })
        };
        fields.told(Field {
            hint,
            ..Field::new(words, &name, label, control)
        })
    };
    desk.breach.report.fields.iter().map(one).collect()
}

fn history(words: Words, events: &[(Event, Option<String>)]) -> Table {
    let rows = events.iter().map(|(event, by)| {
        let what = words.t(&format!("office-breach-event-{}", event.what.replace('_', "-")));
        vec![
            Cell::text(short_time(words, event.at)),
            Cell::text(by.clone().unwrap_or_else(|| words.t("office-actor-system"))),
            Cell::text(what),
            Cell::text(event.note.clone()),
        ]
    });
    let heads = [
        "office-breach-at",
        "office-breach-by",
        "office-breach-what",
        "office-breach-note",
    ];
    Table {
        caption: words.t("office-breach-history"),
        head: heads.iter().map(|key| Head::text(words.t(key))).collect(),
        rows: rows.collect(),
    }
}

fn facts(words: Words, file: &File, now: Timestamp) -> Vec<(String, String)> {
    let time = |at: Option<Timestamp>| at.map_or_else(|| words.t("none"), |at| words.time(at));
    let report = match (file.reported, file.line.report_due) {
        (Some(at), _) => words.time(at),
        (None, Some(due)) => format!("{}（{}）", words.time(due), left(words, due, now)),
        (None, None) => words.t("none"),
    };
    let report_key = match file.reported {
        Some(_) => "office-breach-reported",
        None => "office-breach-report-due",
    };
    vec![
        (words.t("office-breach-discovered"), words.time(file.line.discovered)),
        (words.t("office-breach-ascertained"), time(file.ascertained)),
        (words.t(report_key), report),
        (
            words.t("office-breach-concerned"),
            file.line.concerned.map_or_else(
                || words.t("none"),
                |count| words.t1("office-breach-persons", "n", count),
            ),
        ),
    ]
}

fn counts(words: Words, file: &File) -> SummaryList {
    let all = [
        (Told::Message, "message"),
        (Told::Page, "page"),
        (Told::Otherwise, "otherwise"),
        (Told::No, "no"),
    ];
    let rows = all.into_iter().map(|(how, key)| {
        let count = words.t1("office-breach-persons", "n", file.told(how));
        Row::new(words.t(&format!("office-breach-told-{key}")), count)
    });
    SummaryList { rows: rows.collect() }
}

async fn render(
    app: &App,
    duty: Duty,
    breach: &str,
    status: StatusCode,
    said: Option<Banner>,
    kept: &Kept,
    error: Option<&Mistake>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let (words, desk, now) = (frame.words, &app.desk, app.desk.now());
    let file = breach::file(desk, &staff, id(breach)?).await?;
    let fields = Fields { words, kept, error };
    let is_open = file.line.state == Step::Open;
    let is_closed = file.line.state == Step::Closed;
    let ready = file.ascertained.is_some() && file.counted.is_some();
    let complete = desk
        .breach
        .report
        .fields
        .iter()
        .all(|field| file.report.contains_key(&field.name));
    let sent = ready && complete && file.reported.is_none() && !is_closed;
    let page = BreachPage {
        done: said,
        errors: error.map(|mistake| ErrorSummary {
            words,
            errors: vec![mistake.clone()],
        }),
        here: format!("{HERE}/{}", file.line.id),
        number: file.line.number.clone(),
        title: file.line.title.clone(),
        drill: file.line.drill,
        state: state(words, &file.line),
        revision: file.revision,
        facts: facts(words, &file, now),
        scope: file.scope.as_ref().map(|scope| scope_text(words, desk, scope)),
        counting: file.scope.is_some() && file.counted.is_none(),
        unnamed: (file.unnamed > 0).then(|| words.t1("office-breach-unnamed", "n", file.unnamed)),
        scope_fields: if is_open {
            scope_fields(&fields, desk, &file, now)
        } else {
            Vec::new()
        },
        ascertain_field: (file.ascertained.is_none() && !is_closed)
            .then(|| fields.line("ascertained", &typed_time(words, now), 20)),
        report_fields: if file.reported.is_none() && !is_closed {
            report_fields(&fields, desk, &file)
        } else {
            Vec::new()
        },
        sent_fields: if sent {
            vec![
                fields.line("reported", &typed_time(words, now), 20),
                fields.line("how", "", 0),
            ]
        } else {
            Vec::new()
        },
        tell_field: (is_open && ready).then(|| fields.area("text", &file.told)),
        told: (!file.told.is_empty() && !is_open).then(|| file.told.clone()),
        counts: counts(words, &file),
        letters_field: (file.line.state == Step::Told && file.told(Told::Page) > 0)
            .then(|| fields.line("letters", "", 0)),
        close_field: (!is_closed && ready && (file.reported.is_some() || file.line.drill))
            .then(|| fields.area("measures", "")),
        measures: is_closed.then(|| file.measures.clone()),
        history: history(words, &file.history),
        frame,
        staff,
    };
    page_with(status, &page)
}

/// `GET /office/breaches/{id}`
async fn show(
    State(app): State<App>,
    duty: Duty,
    Path(breach): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let said = done(&duty.frame, &asked.done);
    render(&app, duty, &breach, StatusCode::OK, said, &Kept::new(), None).await
}

fn scope_of(words: Words, kept: &Kept) -> Result<Scope, Mistake> {
    let text = |name: &str| {
        let value = kept.get(name).map(|value| value.trim().to_owned());
        value.filter(|value| !value.is_empty())
    };
    Ok(Scope {
        means: match text("means").as_deref() {
            Some("kept") => Means::Kept,
            _ => Means::Used,
        },
        from: time_of(words, kept, "from")?,
        to: time_of(words, kept, "to")?,
        account: text("account"),
        number: text("number").map(|number| number.to_uppercase()),
        service: text("service"),
    })
}

/// `POST /office/breaches/{id}/{act}`
async fn act(
    State(app): State<App>,
    duty: Duty,
    Path((breach, act)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (desk, staff, words) = (&app.desk, &duty.staff, duty.frame.words);
    let (to, revision, kept) = (id(&breach)?, posted.value("revision")?, kept(&posted));
    let at = |field: &'static str| time_of(words, &kept, field);
    let done = match act.as_str() {
        "scope" => match scope_of(words, &kept) {
            Ok(scope) => Ok(("breach-scope", breach::scope(desk, staff, to, revision, scope).await)),
            Err(mistake) => Err(mistake),
        },
        "ascertain" => match at("ascertained") {
            Ok(at) => Ok((
                "breach-ascertain",
                breach::ascertain(desk, staff, to, revision, at).await,
            )),
            Err(mistake) => Err(mistake),
        },
        "save" => {
            let values = kept.iter().filter_map(|(name, value)| {
                let name = name.strip_prefix("report-")?;
                Some((name.to_owned(), value.clone()))
            });
            let saved = breach::save_report(desk, staff, to, revision, values.collect()).await;
            Ok(("breach-save", saved))
        }
        "sent" => match at("reported") {
            Ok(at) => {
                let sent = breach::report_sent(desk, staff, to, revision, at, posted.text("how")).await;
                Ok(("breach-sent", sent))
            }
            Err(mistake) => Err(mistake),
        },
        "tell" => Ok((
            "breach-tell",
            breach::tell(desk, staff, to, revision, posted.text("text")).await,
        )),
        "letters" => {
            let told = breach::told_otherwise(desk, staff, to, revision, posted.text("letters")).await;
            Ok(("breach-letters", told))
        }
        "close" => {
            let closed = breach::close(desk, staff, to, revision, posted.text("measures")).await;
            Ok(("breach-close", closed))
        }
        _ => return Err(Problem::NotFound),
    };
    let unusable = StatusCode::UNPROCESSABLE_ENTITY;
    let (said, result) = match done {
        Ok(done) => done,
        Err(mistake) => return render(&app, duty, &breach, unusable, None, &kept, Some(&mistake)).await,
    };
    match result {
        Ok(()) => Ok(onward(&format!("{HERE}/{to}?done={said}"))),
        // the count and the telling change it too, while somebody writes
        Err(CaseError::Conflict(_)) => {
            let said = Some(overtaken(words));
            render(&app, duty, &breach, StatusCode::CONFLICT, said, &kept, None).await
        }
        Err(CaseError::Input { field, problem }) => {
            let mistake = (field.to_owned(), wrong(words, field, problem));
            render(&app, duty, &breach, unusable, None, &kept, Some(&mistake)).await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "office/breach_report.html")]
struct ReportPage {
    frame: Frame,
    staff: Staff,
    back: String,
    number: String,
    authority: String,
    drill: bool,
    facts: SummaryList,
}

/// `GET /office/breaches/{id}/report`: the report as it is handed to the authority, to be printed.
async fn report(State(app): State<App>, duty: Duty, Path(breach): Path<String>) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let (words, policy) = (frame.words, &app.desk.breach.report);
    let file = breach::file(&app.desk, &staff, id(&breach)?).await?;
    let time = |at: Option<Timestamp>| at.map_or_else(|| words.t("none"), |at| words.time(at));
    let concerned = file.line.concerned.map_or_else(
        || words.t("none"),
        |count| words.t1("office-breach-persons", "n", count),
    );
    let in_time = match (file.due, file.reported) {
        (Some(due), Some(at)) if at <= due => words.t("office-breach-in-time"),
        (Some(_), Some(_)) => words.t("office-breach-not-in-time"),
        _ => words.t("none"),
    };
    let mut rows = vec![
        Row::new(words.t("office-breach-agency"), staff.agency.clone()),
        Row::new(words.t("office-breach-title"), file.line.title.clone()),
        Row::new(words.t("office-breach-discovered"), words.time(file.line.discovered)),
        Row::new(words.t("office-breach-ascertained"), time(file.ascertained)),
        Row::new(words.t("office-breach-concerned"), concerned),
    ];
    for field in &policy.fields {
        let value = file.report.get(&field.name).cloned().unwrap_or_default();
        let choice = field.choices.iter().find(|choice| choice.name == value);
        let value = choice.map_or(value, |choice| words.of(&choice.title).to_owned());
        rows.push(Row::new(words.of(&field.title), value));
    }
    rows.push(Row::new(words.t("office-breach-reported"), time(file.reported)));
    rows.push(Row::new(words.t1("office-breach-within", "n", policy.hours), in_time));
    rows.push(Row::new(words.t("office-breach-law"), policy.law.clone()));
    page(&ReportPage {
        back: format!("{HERE}/{}", file.line.id),
        number: file.line.number.clone(),
        authority: words.of(&policy.authority).to_owned(),
        drill: file.line.drill,
        facts: SummaryList { rows },
        frame,
        staff,
    })
}

#[derive(Template)]
#[template(path = "office/breach_persons.html")]
struct PersonsPage {
    frame: Frame,
    staff: Staff,
    back: String,
    persons: Table,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    told: String,
    after: Option<uuid::Uuid>,
}

/// `GET /office/breaches/{id}/persons`: who is concerned; with `told=page` those whom no way leads to.
async fn persons(
    State(app): State<App>,
    duty: Duty,
    Path(breach): Path<String>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let (words, to) = (frame.words, id(&breach)?);
    let (told, word): (&[Told], &str) = if which.told == "page" {
        (&[Told::Page], "page")
    } else {
        (&[Told::No, Told::Message, Told::Page, Told::Otherwise], "")
    };
    let (found, next) = breach::persons(&app.desk, &staff, to, told, which.after).await?;
    let rows = found.into_iter().map(|one| {
        let text = |value: Option<String>| Cell::text(value.unwrap_or_else(|| words.t("none")));
        let key = match one.told {
            Told::No => "office-breach-told-no",
            Told::Message => "office-breach-told-message",
            Told::Page => "office-breach-told-page",
            Told::Otherwise => "office-breach-told-otherwise",
        };
        let span = one
            .span
            .map(|(first, last)| format!("{} – {}", typed_time(words, first), typed_time(words, last)));
        vec![
            text(one.name),
            text(one.phone),
            text(one.number),
            Cell::text(one.uses.to_string()),
            text(span),
            Cell::text(words.t(key)),
        ]
    });
    let heads = [
        ("office-result-name", false),
        ("office-result-phone", false),
        ("office-queue-number", false),
        ("office-breach-uses", true),
        ("office-breach-span", false),
        ("office-breach-told", false),
    ];
    let here = format!("{HERE}/{to}");
    page(&PersonsPage {
        persons: Table {
            caption: words.t("office-breach-concerned"),
            head: Head::all(words, &heads),
            rows: rows.collect(),
        },
        next: next.map(|after| format!("{here}/persons?told={word}&after={after}")),
        back: here,
        frame,
        staff,
    })
}
