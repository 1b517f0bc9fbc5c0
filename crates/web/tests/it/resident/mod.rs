//! The pages of residents: what holds of every page, what is refused, what is kept of what somebody typed.

mod agents;
mod channels;
mod family;
mod find;
mod hostile;
mod identity;
mod issuer;
mod pages;
mod resume;
mod rounds;
mod seen;
mod texts;
