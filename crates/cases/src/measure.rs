//! Measure (衡量): the survey after completion, and the indicators counted from anonymous measures.

use crate::boxed;
use civic::ids::{ApplicationId, SurveyId};
use store::seal::Place;
use store::tables::measure::{self as table, Span};
use store::tables::survey;

use crate::guard::{self, Action};
use crate::indicators::{Days, Grades, ratio};
use crate::people::Person;
use crate::staff::Staff;
use crate::{CaseError, Desk, record};

pub use store::tables::measure::Span as Period;

/// Longest comment, in characters.
const LONGEST: usize = 1000;

/// A survey that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Identifier.
    pub id: SurveyId,
    /// The answer given already, 5 to 1.
    pub grade: Option<i16>,
}

/// The survey of an own case, once its letter has left.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn survey(desk: &Desk, person: &Person, id: ApplicationId) -> Result<Option<Survey>, CaseError> {
    let row = record::row(desk, id).await?;
    if row.person_id != Some(person.id.uuid()) {
        return Err(CaseError::NotFound("application"));
    }
    guard::case(desk, &person.who(), Action::Survey, &row, desk.service(&row.service)?)?;
    let survey = survey::of_application(desk.store.read(), id.uuid()).await?;
    Ok(survey.map(|row| Survey {
        id: SurveyId::from_uuid(row.id),
        grade: row.grade,
    }))
}

/// Answers the survey, once. The grade goes to the anonymous measure, the comment stays sealed with the case.
///
/// # Errors
/// [`CaseError::Input`] for a grade that is none or a comment that is too long; [`CaseError::Conflict`] when it was
/// answered before; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn answer(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    grade: i16,
    comment: &str,
) -> Result<(), CaseError> {
    if !(1..=5).contains(&grade) {
        return Err(CaseError::Input {
            field: "grade",
            problem: "empty",
        });
    }
    let comment = comment.trim();
    if comment.chars().count() > LONGEST {
        return Err(CaseError::Input {
            field: "comment",
            problem: "too_long",
        });
    }
    let record = record::own(desk, person, id, Action::Survey).await?;
    let row = survey::of_application(desk.store.read(), id.uuid())
        .await?
        .ok_or(CaseError::NotFound("survey"))?;
    let sealed = if comment.is_empty() {
        None
    } else {
        Some(
            record::seal(
                desk,
                desk.store.read(),
                record.row.key_id.into(),
                Place::new("survey", "comment", &row.id),
                &comment,
            )
            .await?,
        )
    };
    let measure = record.row.measure_id;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if !survey::answer(tx, row.id, grade, sealed, tx.now().as_microsecond()).await? {
                    return Err(CaseError::Conflict("survey"));
                }
                if let Some(measure) = measure {
                    table::set_grade(tx, measure, grade).await?;
                }
                Ok(())
            })
        })
        .await
}

/// The numbers of the indicator page, all counted from live measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Indicators {
    /// Applications handed in.
    pub applications: i64,
    /// Of them on the portal.
    pub online: i64,
    /// At the counter.
    pub counter: i64,
    /// By a digital agent.
    pub agent: i64,
    /// Cases of rolls, for which nobody had to apply (主動給付); not among the applications.
    pub proactive: i64,
    /// Share handed in on the portal, by the person or an agent (線上申辦率), 0 to 1.
    pub online_share: Option<f64>,
    /// Answers to the survey.
    pub grades: Grades,
    /// Satisfaction by the plan's formula, 1 to 5.
    pub satisfaction: Option<f64>,
    /// Legal days to decision.
    pub days: Days,
    /// Approved.
    pub approved: i64,
    /// Refused.
    pub refused: i64,
    /// Withdrawn.
    pub withdrawn: i64,
    /// Documents the paper forms would have asked for and nobody had to bring (免附文件數).
    pub documents_saved: i64,
    /// Applications by month of submission.
    pub months: Vec<(String, i64)>,
}

/// The indicators of a service or all, over a span of months.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn indicators(desk: &Desk, staff: &Staff, span: &Span) -> Result<Indicators, CaseError> {
    guard::office(desk, staff, Action::Measure)?;
    count(desk, span).await
}

/// The same numbers for the public page; they hold nothing of a person.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn count(desk: &Desk, span: &Span) -> Result<Indicators, CaseError> {
    let db = desk.store.read();
    let channels = table::by_channel(db, span).await?;
    let of = |name: &str| {
        channels
            .iter()
            .find(|(channel, _)| channel == name)
            .map_or(0, |(_, n)| *n)
    };
    let (online, counter, agent) = (of("online"), of("counter"), of("agent"));
    let outcomes = table::by_outcome(db, span).await?;
    let ended = |name: &str| {
        outcomes
            .iter()
            .find(|(outcome, _)| outcome.as_deref() == Some(name))
            .map_or(0, |(_, n)| *n)
    };
    let grades = Grades::of(&table::by_grade(db, span).await?);
    let documents = table::by_documents(db, span).await?;
    let applications = online + counter + agent;
    Ok(Indicators {
        applications,
        online,
        counter,
        agent,
        proactive: of("proactive"),
        online_share: ratio(online + agent, applications),
        grades,
        satisfaction: grades.satisfaction(),
        days: Days::of(&table::by_days(db, span).await?),
        approved: ended("approved"),
        refused: ended("refused"),
        withdrawn: ended("withdrawn"),
        documents_saved: documents
            .iter()
            .map(|(paper, uploads, n)| i64::from((paper - uploads).max(0)) * n)
            .sum(),
        months: table::by_month(db, span).await?,
    })
}
