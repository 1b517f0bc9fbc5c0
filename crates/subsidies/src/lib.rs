//! The life of a plan in a subsidy programme: open → write → send → score → decide → correct → report → settle.
//!
//! What a programme says stands in its folder and is computed by `grants`; here stand who may do what, what is kept, and that a
//! change is one transaction. A plan belongs to one government and one programme, and nobody of another government sees it.

mod alike;
mod conflicts;
mod decide;
mod desk;
mod document;
mod draft;
mod error;
mod execution;
mod guard;
mod meeting;
mod part;
mod remind;
mod review;
mod send;
mod text;
mod view;

/// Has a verb compiled here, once, as the verbs of `cases` are.
pub(crate) use async_recursion::async_recursion as boxed;

pub use alike::alike;
pub use conflicts::{Declared, conflicts};
pub use decide::{Correction, Decision, correction, decide, defer};
pub use desk::{Desk, Member};
pub use document::{export, import, print_draft, print_own, print_sent};
pub use draft::{Comment, Version, comment, comments, compare, open, save, versions};
pub use error::SubsidyError;
pub use execution::{
    Answer, Behind, Execution, Filed, Filing, Outcome, Quarter, Settled, answer, audit, counted, execution, file,
    outcomes, pay, progress, settle,
};
pub use meeting::{
    Arranged, Details, Drawn, Meeting, OwnTime, Presentation, arrange, convene, draw, draw_file, meeting, own_time,
};
pub use part::Part;
pub use remind::{REMINDER, Reminder, remind, reminder};
pub use review::{Appraisal, Decided, Line, Ranking, allotment, appraise, declare, my_sheet, ranking, score, sheets};
pub use send::{hand_in, send};
pub use store::tables::subsidy_filing::{Kind, State as FilingState};
pub use store::tables::subsidy_plan::State;
pub use view::{Act, Call, Draft, Received, Sent, calls, draft, government, mine, ministry, received, sent};
