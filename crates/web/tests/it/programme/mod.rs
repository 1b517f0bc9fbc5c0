//! The pages of a subsidy programme: a government, another one, a panel, the ministry.

mod call;
mod execution;
mod isolation;
mod meeting;
mod texts;
