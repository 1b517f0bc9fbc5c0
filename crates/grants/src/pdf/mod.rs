//! A plan as a tagged PDF (PDF/UA-1) to print, sign and keep: a cover, what the layout of annex 1 has, the table of annex 2.
//!
//! The template is ours and the plan is its data, so nothing that a government writes is ever taken for markup.

use std::collections::BTreeMap;

use civic::Language;
use civic::roc::plain;
use jiff::Timestamp;
use press::{Bounds, PressError};
use serde::Serialize;

use crate::assessment::{TableRow, table};
use crate::layout::{ANNEX, ANNEX_HEAD, ANSWERS, BASE, Block, FORMULA, ITEMS, Layout, NOTE, SOURCE};
use crate::odt::OdtError;
use crate::plan::Plan;
use crate::programme::Programme;

/// How large a plan may get: all of its texts and tables at their bounds stay below.
const BOUNDS: Bounds = Bounds {
    bytes: 16 << 20,
    pages: 2_000,
    seconds: 60,
};

/// Characters of the title in the head of a page.
const RUNNING: usize = 28;

/// Labels that are left out where nothing stands behind them.
const OPTIONAL: [&str; 6] = [FORMULA, BASE, SOURCE, ITEMS, ANSWERS, NOTE];

/// What the cover and every page say of where the plan stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// It is being written (草稿).
    Draft {
        /// When the document is made.
        made: Timestamp,
    },
    /// It is what was sent, the first time or corrected (修正計畫書).
    Sent {
        /// Whether it is the corrected plan.
        corrected: bool,
        /// When it was sent.
        at: Timestamp,
        /// SHA-256 of what was sent, in hexadecimal.
        digest: String,
    },
}

/// Why a plan can't be printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// The plan can't be written down.
    #[error(transparent)]
    Plan(#[from] OdtError),
    /// The press could not make it.
    #[error(transparent)]
    Press(#[from] PressError),
}

#[derive(Serialize)]
struct Data {
    programme: String,
    ministry: String,
    from: String,
    through: String,
    /// `draft`, `sent` or `corrected`.
    stage: &'static str,
    /// When it was made, or sent.
    at: String,
    /// What the head of a page says: whose plan it is, and the beginning of its title.
    running: String,
    /// Empty for a draft.
    digest: String,
    #[serde(flatten)]
    layout: Layout,
    annex: Annex,
}

#[derive(Serialize)]
struct Annex {
    heading: &'static str,
    head: [&'static str; 4],
    headings: [&'static str; 3],
    rows: Vec<[Vec<String>; 4]>,
}

/// The document of a plan. The same plan and stamp give the same bytes. It takes up to seconds, so no request should wait on
/// the thread that serves others.
///
/// # Errors
/// [`PdfError`].
pub fn write(plan: &Plan, programme: &Programme, stamp: Stamp) -> Result<Vec<u8>, PdfError> {
    let plan = plan.tidied()?;
    let rows = table(&plan.assessment, programme).into_iter();
    let layout = without_empty(Layout::of(&plan, programme));
    let (stage, at, digest) = match stamp {
        Stamp::Draft { made } => ("draft", made, String::new()),
        Stamp::Sent { corrected, at, digest } => (if corrected { "corrected" } else { "sent" }, at, digest),
    };
    let data = Data {
        programme: programme.name.get(Language::ZhTw).to_owned(),
        ministry: programme.ministry.get(Language::ZhTw).to_owned(),
        from: plain(plan.from),
        through: plain(plan.through),
        stage,
        at: minute(at),
        running: running(&layout),
        digest,
        layout,
        annex: Annex {
            heading: ANNEX,
            head: ANNEX_HEAD,
            headings: TableRow::HEADINGS,
            rows: rows
                .map(|row| [vec![row.stage], row.evidence, row.done, row.plan])
                .collect(),
        },
    };
    let data = serde_json::to_value(data).map_err(|error| PressError::Broken(error.to_string()))?;
    let files = BTreeMap::from([("plan.typ".to_owned(), include_bytes!("plan.typ").to_vec())]);
    Ok(press::make(files, "plan.typ", &data, "grants/plan", BOUNDS)?.pdf)
}

/// The same without labels that have nothing behind them: they are there to be filled in, and nobody fills in a PDF.
fn without_empty(mut layout: Layout) -> Layout {
    for block in layout.chapters.iter_mut().flat_map(|chapter| &mut chapter.blocks) {
        if let Block::Table(table) = block {
            let cells = table.rows.iter_mut().flatten();
            cells.for_each(|cell| cell.retain(|text| !OPTIONAL.contains(&text.as_str())));
        }
    }
    layout
}

fn running(layout: &Layout) -> String {
    let mut title: String = layout.title.chars().take(RUNNING).collect();
    if title.len() < layout.title.len() {
        title.push('…');
    }
    format!("{}　{title}", layout.government)
}

/// A moment to the minute, as letters write it.
fn minute(at: Timestamp) -> String {
    let at = civic::legal_time(at);
    format!("{} {:02}:{:02}", plain(at.date()), at.hour(), at.minute())
}
