//! Identifiers with their checksums: built right or not at all.

mod business_number;
mod mobile;
mod national_id;
mod plate;

pub use business_number::{BusinessNumberRule, UnifiedBusinessNumber};
pub use mobile::MobileNumber;
pub use national_id::{NationalId, NationalIdKind};
pub use plate::PlateNumber;

use thiserror::Error;

/// Why a text is no such identifier. Never carries the text itself: it may be a person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// Wrong length.
    #[error("it has {found} characters; write {expected}")]
    Length {
        /// Characters that should be there.
        expected: &'static str,
        /// Characters found.
        found: usize,
    },
    /// A character that can't stand where it stands.
    #[error("character {place} can't stand there; write it as in {example}")]
    Character {
        /// Place, from 1.
        place: usize,
        /// An example of the right form.
        example: &'static str,
    },
    /// The last digit does not fit the others.
    #[error("the check digit does not fit; look for a mistyped or swapped character")]
    Checksum,
}
