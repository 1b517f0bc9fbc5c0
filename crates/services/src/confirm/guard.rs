//! What is said to a body whose spreadsheet is not taken.

use civic::Language;
use spreadsheet::Limits;

use super::sheet::{MOST_COLUMNS, MOST_ROWS};

/// How much is taken of a sheet that a body fills in.
pub(super) const LIMITS: Limits = Limits {
    file: 4 << 20,
    part: 24 << 20,
    unpacked: 48 << 20,
    rows: MOST_ROWS,
    columns: MOST_COLUMNS,
};

/// Why a file is not taken at all. Nothing of it was used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No spreadsheet: text, a picture, a `.csv` with another ending.
    #[error("the file is no spreadsheet")]
    NotASpreadsheet,
    /// Closed with a password, or a spreadsheet of the old kind (`.xls`).
    #[error("the file is closed with a password or of the old kind")]
    Locked,
    /// It holds macros.
    #[error("the file holds macros")]
    Macros,
    /// More bytes than are taken, packed or unpacked.
    #[error("the file is too large")]
    TooLarge,
    /// More rows or columns than are taken.
    #[error("the file has too many rows or columns")]
    TooManyRows,
    /// Cells are merged; where, if it is known.
    #[error("cells are merged")]
    Merged(Option<String>),
    /// A cell holds a formula; which, if it is known.
    #[error("a cell holds a formula")]
    Formula(Option<String>),
    /// It can't be read to its end.
    #[error("the file is damaged")]
    Damaged,
    /// A column has another heading.
    #[error("the heading of column {column} is not `{expected}`")]
    Header {
        /// Letter of the column.
        column: String,
        /// What stands there.
        found: String,
        /// What should stand there.
        expected: String,
    },
    /// There is nothing below the headings.
    #[error("no row is filled in")]
    Empty,
}

impl Refusal {
    /// What is wrong and how to put it right.
    #[must_use]
    pub fn message(&self, language: Language) -> String {
        if language == Language::ZhTw {
            self.chinese()
        } else {
            self.english()
        }
    }

    fn chinese(&self) -> String {
        let at = |cell: &Option<String>| cell.as_ref().map_or_else(String::new, |cell| format!("（{cell}）"));
        match self {
            Self::NotASpreadsheet => {
                "這不是試算表。請上傳 .xlsx 或 .ods 檔；.csv 檔請用試算表軟體開啟後另存成 .xlsx，只改副檔名沒有用。"
                    .into()
            }
            Self::Locked => "檔案有密碼保護，或是舊的 .xls 檔。請開啟後另存成沒有密碼的 .xlsx 檔。".into(),
            Self::Macros => "檔案裡有巨集。請另存成不含巨集的 .xlsx 檔。".into(),
            Self::TooLarge => "檔案太大。請只留下載的那張表，不要放圖片。".into(),
            Self::TooManyRows => format!("資料太多。一次最多 {MOST_ROWS} 列、{MOST_COLUMNS} 欄，請分次上傳。"),
            Self::Merged(cell) => format!("有合併的儲存格{}。請取消合併，一格填一個值。", at(cell)),
            Self::Formula(cell) => format!("有公式{}。請複製後「只貼上值」，再存檔。", at(cell)),
            Self::Damaged => "檔案打不開，可能沒有存完整。請重新存檔再上傳。".into(),
            Self::Header {
                column,
                found,
                expected,
            } if found.is_empty() => {
                format!(
                    "{column} 欄的標題應該是「{expected}」，現在是空白的。請用下載的表格填寫，不要改標題、不要增減欄位。"
                )
            }
            Self::Header {
                column,
                found,
                expected,
            } => {
                format!(
                    "{column} 欄的標題應該是「{expected}」，現在是「{found}」。請用下載的表格填寫，不要改標題、不要增減欄位。"
                )
            }
            Self::Empty => "標題下面沒有資料。請至少填一列。".into(),
        }
    }

    fn english(&self) -> String {
        let at = |cell: &Option<String>| cell.as_ref().map_or_else(String::new, |cell| format!(" ({cell})"));
        match self {
            Self::NotASpreadsheet => "This is no spreadsheet. Upload an .xlsx or .ods file. Open a .csv file in a spreadsheet program and save it as .xlsx; changing its ending is not enough.".into(),
            Self::Locked => "The file is closed with a password or is an old .xls file. Open it and save it as .xlsx without a password.".into(),
            Self::Macros => "The file holds macros. Save it as .xlsx without macros.".into(),
            Self::TooLarge => "The file is too large. Keep only the downloaded sheet, without pictures.".into(),
            Self::TooManyRows => format!("That is too much. At most {MOST_ROWS} rows and {MOST_COLUMNS} columns at once; upload it in parts."),
            Self::Merged(cell) => format!("There are merged cells{}. Split them: one value a cell.", at(cell)),
            Self::Formula(cell) => format!("There is a formula{}. Copy and paste its value only, then save.", at(cell)),
            Self::Damaged => "The file can't be opened; it may not be complete. Save it again and upload it.".into(),
            Self::Header { column, found, expected } => format!("The heading of column {column} should be “{expected}” and is “{found}”. Use the downloaded sheet; don't change headings, add or remove columns."),
            Self::Empty => "There is nothing below the headings. Fill in at least one row.".into(),
        }
    }
}

impl From<spreadsheet::Refusal> for Refusal {
    fn from(refusal: spreadsheet::Refusal) -> Refusal {
        match refusal {
            spreadsheet::Refusal::NotASpreadsheet => Refusal::NotASpreadsheet,
            spreadsheet::Refusal::Locked => Refusal::Locked,
            spreadsheet::Refusal::Macros => Refusal::Macros,
            spreadsheet::Refusal::TooLarge => Refusal::TooLarge,
            spreadsheet::Refusal::TooManyRows => Refusal::TooManyRows,
            spreadsheet::Refusal::Merged(cell) => Refusal::Merged(cell),
            spreadsheet::Refusal::Formula(cell) => Refusal::Formula(cell),
            // the first sheet is read, and a workbook without one is none
            spreadsheet::Refusal::NoSheet(_) | spreadsheet::Refusal::Damaged => Refusal::Damaged,
        }
    }
}
