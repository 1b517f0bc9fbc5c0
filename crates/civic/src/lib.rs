//! What every part of a city's platform speaks of: identifiers that can't be built wrong, the ROC calendar, ages on
//! legal days, Chinese numerals, NT dollars, addresses, languages, and the time.
//!
//! Nothing here reads a clock, a file or the environment by itself.

pub mod address;
mod calendar;
mod clock;
mod identifier;
pub mod ids;
mod language;
mod mistake;
mod money;
mod month;
pub mod numerals;
mod purpose;
pub mod roc;
mod width;

pub use address::{Address, AddressError};
pub use calendar::{CalendarError, WorkCalendar};
pub use clock::{Clock, FixedClock, SystemClock, legal_day, legal_start, legal_time};
pub use identifier::{
    BusinessNumberRule, IdError, MobileNumber, NationalId, NationalIdKind, PlateNumber, UnifiedBusinessNumber,
};
pub use language::{Language, Text};
pub use mistake::Mistake;
pub use money::Money;
pub use month::{Month, MonthError};
pub use numerals::chinese_number;
pub use purpose::{Channel, Purpose};
pub use roc::age_on;
pub use width::fold_width;
