//! A subsidy programme (補助計畫) as a folder: its call, stages, items, tiers, chapters, criteria and indicators.

pub(crate) mod file;
mod indicators;
mod sound;

use civic::{Money, Text};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::clock::{Announcement, Clock};
use crate::correction::Correction;
use crate::execution::ExecutionRules;
use crate::funding::Funding;
pub use file::{Report, check};
pub use indicators::{Formula, Indicator, Input, Live, Reading, Target};

/// Everything a programme folder says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Programme {
    /// The folder's name.
    pub id: String,
    /// What the programme is called.
    pub name: Text,
    /// Who gives the money.
    pub ministry: Text,
    /// The order it rests on.
    pub basis: Text,
    /// What it is for.
    pub goals: Text,
    /// Who may apply.
    pub applicants: Text,
    /// Which plans come first (優先補助).
    pub priority: Text,
    /// Years of plan and money.
    pub period: Period,
    /// Cap and ratios.
    pub funding: Funding,
    /// Dates in the order of the file.
    pub clocks: Vec<Clock>,
    /// What was announced later, by time.
    pub announcements: Vec<Announcement>,
    /// The clock of a plan sent back for correction.
    pub correction: Correction,
    /// Days before the end of a clock on which it is recalled.
    pub reminders: Reminders,
    /// What a plan must have.
    pub plan: PlanRules,
    /// When a plan that is carried out counts as behind.
    pub execution: ExecutionRules,
    /// When two plans are alike.
    pub similarity: SimilarityRules,
    /// What the review asks for.
    pub review: ReviewRules,
    /// Stages with their items, each after those it needs.
    pub stages: Vec<Stage>,
    /// The local governments with their tier.
    pub governments: Vec<Government>,
    /// Chapters of the plan, in order.
    pub chapters: Vec<Chapter>,
    /// What plans are scored by.
    pub criteria: Vec<Criterion>,
    /// Indicators that the programme prints.
    pub indicators: Vec<Indicator>,
    /// Fixed wording that makes no two plans alike, beside titles and guidance.
    pub boilerplate: Vec<String>,
    /// Words that mean the same, a list each; the first of a list stands for the others.
    pub concepts: Vec<Vec<String>>,
}

/// The years a plan covers and the year that is funded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// First day.
    pub from: Date,
    /// Last day.
    pub through: Date,
    /// The ROC years planned, in order.
    pub years: Vec<i16>,
    /// The ROC year funded now.
    pub funded: i16,
    /// Section of the programme.
    pub source: String,
}

/// Days before a clock runs out on which applicants are reminded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reminders {
    /// Whole days before the last day.
    pub days_before: Vec<u16>,
}

/// What a plan must have beside its texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRules {
    /// Fewest indicators.
    pub indicators_at_least: usize,
    /// Section of the programme that says so.
    pub indicators_source: String,
    /// Checkpoints of the funded year, one a quarter.
    pub quarters: u8,
    /// Fewest letters and digits of a text on personal data or security.
    pub personal_data_at_least: usize,
    /// Words that count for nothing there, such as 無 or 詳附件; taken out in this order.
    pub says_nothing: Vec<String>,
}

/// When two plans are alike (雷同). Lengths are characters without spaces and punctuation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimilarityRules {
    /// Length of a shingle.
    pub shingle: usize,
    /// Shortest passage that counts as copied.
    pub passage: usize,
    /// A single passage of this length makes two plans alike.
    pub flag_passage: usize,
    /// So does this share of the shorter plan's own text, in per cent.
    pub flag_percent: u8,
    /// Shortest paragraph that is compared by its words.
    pub lexical_paragraph: usize,
    /// Two paragraphs are alike from this cosine on, in per cent.
    pub lexical_percent: u8,
    /// And this share of the shorter plan's own text in such paragraphs makes two plans alike, in per cent.
    pub lexical_share: u8,
}

/// What the review asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewRules {
    /// Fewest score sheets of a plan before its mean is shown.
    pub sheets_at_least: usize,
}

/// A stage of digital development (發展階段).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Short name, such as `A1`.
    pub id: String,
    /// What it is called.
    pub title: Text,
    /// The platform it rests on.
    pub platform: Text,
    /// Whether a plan may build that platform.
    pub built_by_plan: BuiltByPlan,
    /// What the table says where the plan builds it.
    pub by_plan: Text,
    /// Stages whose platforms must stand already.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Groups of items.
    #[serde(default, rename = "group")]
    pub groups: Vec<Group>,
    /// Items, in order.
    #[serde(rename = "item")]
    pub items: Vec<Item>,
    /// Section of the programme.
    pub source: String,
}

/// Whether a plan may build the platform its stage rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuiltByPlan {
    /// It may.
    Yes,
    /// The programme wants the platform first; an official may accept it with a note.
    Warn,
}

/// A group of items within a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Short name.
    pub id: String,
    /// What it is called.
    pub title: Text,
}

/// A designated item (指定項目), or the mandatory one (必選項目).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Short name, such as `A1.1`.
    pub id: String,
    /// What it is called, as the annex prints it.
    pub title: Text,
    /// Its group, where the stage has groups.
    pub group: Option<String>,
    /// The platform itself: the evidence of the stage stands for it.
    #[serde(default)]
    pub mandatory: bool,
}

/// A local government (地方政府) that may apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Government {
    /// ISO 3166-2:TW without the country.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Fiscal tier (財力級次), 1 is the richest.
    pub tier: u8,
    /// Where the tier is announced.
    pub source: String,
}

/// A chapter of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chapter {
    /// Short name.
    pub id: String,
    /// Title as the annex prints it.
    pub title: Text,
    /// What to write.
    pub guidance: Text,
    /// What it is made of.
    #[serde(default)]
    pub kind: ChapterKind,
    /// Parts that are written each for itself; none where the chapter is one text.
    #[serde(default, rename = "section")]
    pub sections: Vec<Section>,
    /// Section of the annex.
    pub source: String,
}

/// A part of a chapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Short name.
    pub id: String,
    /// What it is called.
    pub title: Text,
    /// What to write.
    pub guidance: Text,
}

/// What a chapter is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChapterKind {
    /// Text.
    #[default]
    Text,
    /// The table of indicators.
    Indicators,
    /// The table of budget lines.
    Budget,
    /// The table of subsidies.
    Subsidy,
    /// The table of checkpoints.
    Checkpoints,
    /// The contact.
    Contact,
}

/// A criterion of the review (評比項目).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Short name.
    pub id: String,
    /// What it is called.
    pub title: Text,
    /// Most points.
    pub points: u16,
    /// A bonus (加分項): nothing is lost without it.
    #[serde(default)]
    pub bonus: bool,
    /// What the reviewers look at.
    pub looks: Vec<Text>,
    /// Section of the programme.
    pub source: String,
}

impl Programme {
    /// The stage of this id.
    #[must_use]
    pub fn stage(&self, id: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }

    /// The government of this id.
    #[must_use]
    pub fn government(&self, id: &str) -> Option<&Government> {
        self.governments.iter().find(|government| government.id == id)
    }

    /// The criterion of this id.
    #[must_use]
    pub fn criterion(&self, id: &str) -> Option<&Criterion> {
        self.criteria.iter().find(|criterion| criterion.id == id)
    }

    /// The printed indicator of this id.
    #[must_use]
    pub fn indicator(&self, id: &str) -> Option<&Indicator> {
        self.indicators.iter().find(|indicator| indicator.id == id)
    }

    /// Names of all texts of a plan in their order: `goals`, `preface.state`.
    #[must_use]
    pub fn text_ids(&self) -> Vec<String> {
        let texts = self.chapters.iter().filter(|chapter| chapter.kind == ChapterKind::Text);
        texts.flat_map(Chapter::text_ids).collect()
    }

    /// The most the ministry pays a government for a year's total, and by which ratio; `None` for a government that may
    /// not apply or a total below zero.
    #[must_use]
    pub fn most(&self, government: &str, total: Money) -> Option<crate::funding::Most> {
        self.funding.most(self.government(government)?.tier, total)
    }
}

impl Chapter {
    /// Names of its texts: its own, or one for each section.
    #[must_use]
    pub fn text_ids(&self) -> Vec<String> {
        if self.kind != ChapterKind::Text {
            return Vec::new();
        }
        if self.sections.is_empty() {
            return vec![self.id.clone()];
        }
        let ids = self.sections.iter();
        ids.map(|section| format!("{}.{}", self.id, section.id)).collect()
    }
}

impl Stage {
    /// The designated items, without the mandatory one.
    pub fn designated(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| !item.mandatory)
    }

    /// The designated item of this id.
    #[must_use]
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.designated().find(|item| item.id == id)
    }

    /// The group of this id.
    #[must_use]
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }
}
