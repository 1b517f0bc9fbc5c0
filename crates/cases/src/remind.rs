//! Reminders: to a person whose correction is due soon, and to the office whose legal deadlines run out. Days and
//! mailboxes stand in `service.toml`; who was told what is kept by keys, so that nobody is told twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use civic::{Language, roc};
use jiff::civil::Date;
use services::Remind;
use sha2::{Digest as _, Sha256};
use store::outbox::{self, Outcome, Task};
use store::tables::application::{self, Filter};
use store::tables::message;

use crate::guard::{Action, Who};
use crate::transition::State;
use crate::{CaseError, Desk, notify, record};

/// Kind of the work that sends an office the list of its deadlines.
pub(crate) const DIGEST: &str = "mail.digest";
/// Working days before the deadline where a service names none.
const USUAL: u16 = 5;
/// Cases of one round, and lines of one list.
const MOST: u64 = 200;

fn rules<'a>(desk: &'a Desk, service: &str) -> Option<&'a Remind> {
    desk.catalogue.get(service)?.meta.remind.as_ref()
}

/// Working days before the legal deadline from which a case of a service is marked.
#[must_use]
pub fn office_days(desk: &Desk, service: &str) -> i32 {
    i32::from(rules(desk, service).map_or(USUAL, |remind| remind.office_days))
}

/// Looks once whom to remind; gives how many messages were put.
///
/// # Errors
/// The store's; what was put before stays.
pub(crate) async fn run(desk: &Desk) -> Result<u64, CaseError> {
    let mut count = corrections(desk).await?;
    let today = desk.today();
    if !desk.calendar.is_working(today) {
        return Ok(count);
    }
    for service in desk.catalogue.all() {
        let remind = service.meta.remind.as_ref();
        if remind.is_none_or(|remind| remind.office_mail.is_none()) || urgent(desk, &service.id).await?.is_empty() {
            continue;
        }
        let payload = (service.id.clone(), today.to_string());
        let task = Task::new(DIGEST, format!("digest:{}:{today}", service.id), &payload);
        let put = desk
            .store
            .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(outbox::put(tx, task).await?) }))
            .await?;
        count += u64::from(put);
    }
    Ok(count)
}

/// Reminds people whose correction is due within the days their service names, once for each request.
async fn corrections(desk: &Desk) -> Result<u64, CaseError> {
    let today = desk.today();
    let mut count = 0;
    for service in desk.catalogue.all() {
        let Some(remind) = &service.meta.remind else { continue };
        let until = desk
            .calendar
            .add_working_days(today, remind.correction_days)
            .to_string();
        let rows = application::correcting(desk.store.read(), &service.id, &today.to_string(), &until).await?;
        for row in rows {
            let due = row.correction_due.clone().unwrap_or_default();
            let key = format!("correction_due:{}:{due}", row.id);
            if message::known(desk.store.read(), &key).await? {
                continue;
            }
            let record = record::open(desk, &Who::System, Action::Notify, row).await?;
            let day: Option<Date> = due.parse().ok();
            let words = BTreeMap::from([("due".to_owned(), day.map(roc::long).unwrap_or_default())]);
            let draft = notify::Draft::new(desk, &record, "correction_due", words).keyed(&due);
            let number = record.row.number.clone().unwrap_or_default();
            let seal = desk.store.seal().clone();
            let put = desk
                .store
                .write(move |tx| Box::pin(async move { draft.seal(tx, &seal, &number).await?.write(tx).await }))
                .await;
            match put {
                // another round put it in this moment
                Err(CaseError::Store(error)) if error.is_duplicate() => {}
                other => {
                    other?;
                    count += 1;
                }
            }
        }
    }
    Ok(count)
}

/// Numbers and deadlines of the cases of a service that are late or soon will be, the nearest first. No person.
async fn urgent(desk: &Desk, service: &str) -> Result<Vec<(String, Date, i32)>, CaseError> {
    let today = desk.today();
    let days = office_days(desk, service);
    let until = desk
        .calendar
        .add_working_days(today, u16::try_from(days).unwrap_or(USUAL));
    let filter = Filter {
        states: vec![State::Submitted, State::Review],
        service: Some(service.to_owned()),
        due_by: Some(until.to_string()),
        ..Filter::default()
    };
    let (rows, _) = application::queue(desk.store.read(), &filter, 0, MOST).await?;
    let rows = rows.into_iter().filter(|row| row.clock_stopped_at.is_none());
    let line = |row: application::Model| {
        let day: Date = row.deadline?.parse().ok()?;
        Some((row.number?, day, desk.calendar.working_days_between(today, day)))
    };
    Ok(rows.filter_map(line).collect())
}

/// Sends the list of a day to the office of a service, as it is when it is sent.
///
/// # Errors
/// Temporary ones, after which the work is tried again.
pub(crate) async fn digest(desk: &Desk, service: &str, day: &str) -> Result<Outcome, CaseError> {
    let (Some(mailer), Some(remind)) = (desk.mail.as_ref(), rules(desk, service)) else {
        return Ok(Outcome::Done);
    };
    let name = desk
        .catalogue
        .get(service)
        .map_or(service, |found| found.meta.name.get(Language::ZhTw));
    let cases = urgent(desk, service).await?;
    let (Some(to), false) = (remind.office_mail.as_deref(), cases.is_empty()) else {
        return Ok(Outcome::Done);
    };
    let (subject, text) = list(name, &cases, &format!("{}/office", desk.city.portal));
    // the same list of the same day carries the same name, so that a mail server knows it again
    let id = hex::encode(Sha256::digest(format!("{service}:{day}")));
    let mail = exchange::mail::Mail {
        to,
        subject: &subject,
        text: &text,
        html: None,
        id: &id,
        at: desk.now(),
    };
    match mailer.send(&mail).await {
        Ok(()) => Ok(Outcome::Done),
        Err(error) if error.may_retry() => Err(CaseError::Outside {
            party: "mail server",
            problem: error.to_string(),
        }),
        Err(error) => {
            tracing::warn!(%error, service, "the list of deadlines was refused");
            Ok(Outcome::Done)
        }
    }
}

/// Subject and text of the list: numbers and days only.
fn list(service: &str, cases: &[(String, Date, i32)], link: &str) -> (String, String) {
    let late = cases.iter().filter(|(_, _, left)| *left < 0).count();
    let template = include_str!("../messages/zh-TW/office_digest.txt");
    let mut lines = String::new();
    for (number, day, left) in cases {
        let left = match left {
            ..0 => format!("已逾期 {} 個工作日", left.unsigned_abs()),
            0 => "今天到期".to_owned(),
            _ => format!("還有 {left} 個工作日"),
        };
        // writing into a text does not fail
        let _ = writeln!(lines, "{number}　{}　{left}", roc::long(*day));
    }
    let words = BTreeMap::from([
        ("service".to_owned(), service.to_owned()),
        ("count".to_owned(), cases.len().to_string()),
        ("late".to_owned(), late.to_string()),
        ("lines".to_owned(), lines),
        ("link".to_owned(), link.to_owned()),
    ]);
    let filled = notify::fill(template, &words);
    let (subject, text) = filled.split_once('\n').unwrap_or((&filled, ""));
    (subject.trim().to_owned(), text.trim_start().to_owned())
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn the_list_names_numbers_and_days_and_nothing_else() {
        let day = jiff::civil::date(2026, 11, 20);
        let cases = [
            ("115-SA-000001".to_owned(), day, -2),
            ("115-SA-000002".to_owned(), day, 0),
            ("115-SA-000003".to_owned(), day, 4),
        ];
        let (subject, text) = list("津貼", &cases, "https://city.example/office");
        assert!(subject.contains('3') && subject.contains("津貼"), "{subject}");
        for part in [
            "115-SA-000001",
            "已逾期 2 個工作日",
            "今天到期",
            "還有 4 個工作日",
            "https://city.example/office",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains('{'));
    }
}
