//! The pages of a subsidy programme: a government, another one, a panel, the ministry.

mod again;
mod call;
mod execution;
mod isolation;
mod live;
mod meeting;
mod standing;
mod texts;
mod together;
