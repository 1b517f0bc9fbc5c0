//! Sheets of the counter (臨櫃書面): the summary a person signs and the receipt they take home. They are the same for every
//! service, so they are no templates of a folder.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Letter, LetterError, MOST_DATA, press};

/// A sheet of the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sheet {
    /// What is applied for, the answers and where each came from, with a place to sign (申請摘要).
    Summary,
    /// That it was handed in, and by when it is decided (收據).
    Receipt,
}

impl Sheet {
    const fn name(self) -> &'static str {
        match self {
            Sheet::Summary => "summary.typ",
            Sheet::Receipt => "receipt.typ",
        }
    }
}

/// Makes a sheet. The same data gives the same bytes.
///
/// # Errors
/// [`LetterError`].
pub fn counter_sheet(sheet: Sheet, data: &Value) -> Result<Letter, LetterError> {
    let (data, missing) = press::in_font(data)?;
    let text = serde_json::to_string(&data).map_err(|error| LetterError::Press(error.to_string()))?;
    if text.len() > MOST_DATA {
        return Err(LetterError::TooMuch);
    }
    let files = BTreeMap::from([
        ("base.typ".to_owned(), include_bytes!("counter/base.typ").to_vec()),
        ("summary.typ".to_owned(), include_bytes!("counter/summary.typ").to_vec()),
        ("receipt.typ".to_owned(), include_bytes!("counter/receipt.typ").to_vec()),
    ]);
    let made = press::make(
        files,
        sheet.name().to_owned(),
        text,
        format!("counter/{}", sheet.name()),
    )?;
    Ok(Letter {
        pdf: made.pdf,
        pages: made.pages,
        missing,
        warnings: made.warnings,
    })
}
