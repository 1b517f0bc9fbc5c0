//! Sheets of the counter (臨櫃書面): the summary a person signs and the receipt they take home. They are the same for every
//! service, so they are no templates of a folder.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{BOUNDS, Letter, LetterError};

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
    let files = BTreeMap::from([
        ("base.typ".to_owned(), include_bytes!("counter/base.typ").to_vec()),
        ("summary.typ".to_owned(), include_bytes!("counter/summary.typ").to_vec()),
        ("receipt.typ".to_owned(), include_bytes!("counter/receipt.typ").to_vec()),
    ]);
    let name = sheet.name();
    Ok(press::make(files, name, data, &format!("counter/{name}"), BOUNDS)?.into())
}
