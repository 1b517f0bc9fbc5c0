//! A plan as an OpenDocument text (ODF 1.3, the government's editable standard), in the layout of annex 1 with the table of
//! annex 2 behind it, and back.
//!
//! What a plan holds stands in the document under names that an office program keeps: each text in a section
//! (`text:section`) of its name, each table under `table:name`, each field of the self-assessment between two bookmarks.
//! What no page shows, such as the id of an item, stands in the name of a bookmark. So the document can be edited and read
//! again, rows added by hand included; what is written outside these places is given back as left over, not dropped unseen.

mod cells;
mod fields;
mod names;
mod read;
mod tree;
mod write;

pub use read::{Imported, read};
pub use write::{write, write_versioned};

/// Largest document that is read, packed.
const MOST_BYTES: usize = 16 << 20;
/// Largest `content.xml`, unpacked.
const MOST_CONTENT: u64 = 32 << 20;
/// Media type (ODF 1.3 part 2, 2.2.4).
const MEDIA_TYPE: &str = "application/vnd.oasis.opendocument.text";

/// Why a document can't be written or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OdtError {
    /// A part that the programme does not have.
    #[error("the plan has `{0}`, which the programme does not; move it before the document is made")]
    Unprintable(String),
    /// The package could not be made.
    #[error("the document can't be packed: {0}")]
    Packed(String),
    /// No ODT.
    #[error("this is no OpenDocument text: {0}; save the document as .odt")]
    NotOdt(&'static str),
    /// Larger than allowed.
    #[error("the document is larger than allowed: {0}; take pictures out, or shorten it")]
    TooLarge(&'static str),
    /// The XML is damaged, at a byte of `content.xml` or `meta.xml`.
    #[error("the document is damaged at byte {at} of {file}; save it again")]
    Damaged {
        /// Which file.
        file: &'static str,
        /// Which byte.
        at: u64,
    },
    /// A document of another programme.
    #[error("the document is a plan of `{0}`, not of this programme; choose that programme")]
    OtherProgramme(String),
    /// A document that was not exported.
    #[error("the document does not say whose plan it is; begin with an exported one, which keeps it in its properties")]
    NoPlan,
    /// A cell that can't be read.
    #[error("table `{table}`, row {row}, column {column}: {what}")]
    Cell {
        /// The table.
        table: String,
        /// Row, 1 is the first below the head.
        row: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong and what to do.
        what: &'static str,
    },
    /// The self-assessment lost a field.
    #[error("the table of annex 2 lost a field: {0}; fill it in on the page instead")]
    Assessment(String),
}
