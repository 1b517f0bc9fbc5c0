//! The platform's own record of a data set (`/log/dp`), to be compared with the city's.

use super::Config;
use super::platform::{PlatformError, address, body, unreachable_by};
use jiff::civil::{Date, DateTime};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

/// Most bytes of an answer.
const LARGEST: usize = 32 << 20;

/// What is asked for.
pub struct LogQuery<'a> {
    /// The data set.
    pub resource_id: &'a str,
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
    /// These transactions alone; all where empty.
    pub transactions: &'a [Uuid],
    /// These events alone, such as `250` (the platform asks) or `280` (it has the data set); all where empty.
    pub events: &'a [&'a str],
}

/// One line of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The transaction.
    pub transaction_uid: Uuid,
    /// When, in legal time.
    pub at: DateTime,
    /// Which event.
    pub event: String,
}

#[derive(Deserialize)]
struct Answer {
    resource_id: String,
    data: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    transaction_uid: Uuid,
    ctime: String,
    event: String,
}

pub(super) async fn read(
    config: &Config,
    client: &reqwest::Client,
    query: &LogQuery<'_>,
) -> Result<Vec<LogLine>, PlatformError> {
    let asked = json!({
        "resource_id": query.resource_id,
        "stime": query.from.to_string(),
        "etime": query.to.to_string(),
        "transaction_uid": query.transactions,
        "event": query.events,
    });
    let response = client
        .post(address(config, &["log", "dp"])?)
        .header(reqwest::header::CONTENT_TYPE, "application/json")
        .body(asked.to_string())
        .send()
        .await
        .map_err(|error| unreachable_by(&error))?;
    if response.status() != StatusCode::OK {
        return Err(PlatformError::Status(response.status().as_u16()));
    }
    // the body is plain JSON, though the platform labels it `application/jwe`
    let answer: Answer = serde_json::from_slice(&body(response, LARGEST).await?).map_err(|_| PlatformError::Answer)?;
    if answer.resource_id != query.resource_id {
        return Err(PlatformError::Answer);
    }
    let line = |line: Line| {
        Some(LogLine {
            transaction_uid: line.transaction_uid,
            at: DateTime::strptime("%Y-%m-%d %H:%M:%S", &line.ctime).ok()?,
            event: line.event,
        })
    };
    let lines: Option<Vec<LogLine>> = answer.data.into_iter().map(line).collect();
    lines.ok_or(PlatformError::Answer)
}
