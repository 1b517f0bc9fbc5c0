//! How much of a plan is written, chapter by chapter, as it is shown while people write.

use serde::Serialize;

use super::Plan;
use crate::programme::{ChapterKind, Programme};

/// What a chapter has and needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Completeness {
    /// The chapter.
    pub chapter: String,
    /// Parts written.
    pub written: usize,
    /// Parts there are.
    pub parts: usize,
}

impl Completeness {
    /// Whether nothing is left to write.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.written >= self.parts
    }
}

/// All chapters in order. A text counts as written when it is not empty; a table by the lines it must have.
#[must_use]
pub fn completeness(plan: &Plan, programme: &Programme) -> Vec<Completeness> {
    let years = &programme.period.years;
    let contact = &plan.contact;
    let chapters = programme.chapters.iter().map(|chapter| {
        let (written, parts) = match chapter.kind {
            ChapterKind::Text => {
                let ids = chapter.text_ids();
                let written = ids.iter().filter(|id| !plan.text(id).trim().is_empty()).count();
                (written, ids.len())
            }
            ChapterKind::Indicators => (plan.indicators.len(), programme.plan.indicators_at_least),
            ChapterKind::Budget => {
                let written = years.iter().filter(|year| plan.lines_of(**year).next().is_some());
                (written.count(), years.len())
            }
            ChapterKind::Subsidy => {
                let written = years.iter().filter(|year| plan.subsidy(**year).is_some());
                (written.count(), years.len())
            }
            ChapterKind::Checkpoints => {
                let quarters = 1..=programme.plan.quarters;
                let written = quarters.filter(|quarter| plan.checkpoints.iter().any(|one| one.quarter == *quarter));
                (written.count(), usize::from(programme.plan.quarters))
            }
            ChapterKind::Contact => {
                let texts = [&contact.unit, &contact.name, &contact.telephone, &contact.email];
                (texts.iter().filter(|text| !text.trim().is_empty()).count(), texts.len())
            }
        };
        Completeness {
            chapter: chapter.id.clone(),
            written: written.min(parts),
            parts,
        }
    });
    chapters.collect()
}
