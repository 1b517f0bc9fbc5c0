//! The schema, built step by step: one file per step, listed here in the order in which they run.
//!
//! A step that has run anywhere is never edited; a change of the schema is a new file at the end of
//! the list. Both engines run the same steps. A test compares the result with the entities in
//! [`crate::tables`], so a column that stands in only one of the two places is found.

use sea_orm_migration::prelude::*;

mod m001_data_key;
mod m002_ledger;
mod m003_session;
mod m004_outbox;
mod m010_people;
mod m011_application;
mod m012_case_records;
mod m013_letter_message;
mod m014_payment;
mod m015_measure;
mod m016_security_event;
mod m017_round;
mod m018_roll;
mod m019_counter;
mod m022_confirmation_appeal;
mod m023_payment_run;
mod m024_agent;
mod m025_find;
mod m026_outreach;
mod m027_succession;
mod m028_mydata_transfer;
mod m029_hold_by_platform;
mod m030_road;
mod m031_channel;
mod m032_identity;
mod m033_wallet;
mod m034_subsidy;
mod m035_rights;
mod m036_execution;
mod m037_subsidy_meeting;
mod m038_breach;
mod m039_event_by_platform;

/// Runs the steps that a database has not seen yet.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m001_data_key::Migration),
            Box::new(m002_ledger::Migration),
            Box::new(m003_session::Migration),
            Box::new(m004_outbox::Migration),
            Box::new(m010_people::Migration),
            Box::new(m011_application::Migration),
            Box::new(m012_case_records::Migration),
            Box::new(m013_letter_message::Migration),
            Box::new(m014_payment::Migration),
            Box::new(m015_measure::Migration),
            Box::new(m016_security_event::Migration),
            Box::new(m017_round::Migration),
            Box::new(m018_roll::Migration),
            Box::new(m019_counter::Migration),
            Box::new(m022_confirmation_appeal::Migration),
            Box::new(m023_payment_run::Migration),
            Box::new(m024_agent::Migration),
            Box::new(m025_find::Migration),
            Box::new(m026_outreach::Migration),
            Box::new(m027_succession::Migration),
            Box::new(m028_mydata_transfer::Migration),
            Box::new(m029_hold_by_platform::Migration),
            Box::new(m030_road::Migration),
            Box::new(m031_channel::Migration),
            Box::new(m032_identity::Migration),
            Box::new(m033_wallet::Migration),
            Box::new(m034_subsidy::Migration),
            Box::new(m035_rights::Migration),
            Box::new(m036_execution::Migration),
            Box::new(m037_subsidy_meeting::Migration),
            Box::new(m038_breach::Migration),
            Box::new(m039_event_by_platform::Migration),
        ]
    }
}
