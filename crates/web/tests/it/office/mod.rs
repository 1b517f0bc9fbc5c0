//! The office's pages: who may see what, what an act changes, and what a hostile browser gets.

mod breach;
mod datasets;
mod decide;
mod hostile;
mod money;
mod payments;
mod roles;
mod rounds;
mod school;
mod texts;
mod watch;
