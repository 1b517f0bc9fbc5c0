//! The program: commands, configuration, wiring, and the demonstration city.

mod accept;
mod bundled;
mod commands;
mod config;
mod demo;
mod history;
mod identity;
mod server;
mod terminal;
mod wallet;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Rows are made by the database's threads and dropped by others, which costs the system's allocator a fifth of the throughput.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The digital-service platform of a Taiwanese city or county.
///
/// Without a command it starts the demonstration city.
#[derive(Parser)]
#[command(name = "tongban", version, about, long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Starts the demonstration city with its own sign-in, MyData, mailbox and bank on loopback
    Demo(commands::demo::DemoArgs),
    /// Starts the platform of a real city
    Serve(commands::serve::ServeArgs),
    /// Checks, makes and lists service folders
    Service(commands::service::ServiceArgs),
    /// Checks folders of subsidy programmes
    Programme(commands::programme::ProgrammeArgs),
    /// Decides cases and sweeps populations by the rules of a service folder
    Rules(commands::rules::RulesArgs),
    /// Datasets of the data aggregation platform: check a folder, bring a file in, look at it, keep it
    Hub(commands::hub::HubArgs),
    /// Takes in the register of residents, from which rolls are drawn up
    Register(commands::register::RegisterArgs),
    /// Decides everybody's cases of all services by a population
    Sweep(commands::sweep::SweepArgs),
    /// Backs the platform up while it works, verifies and restores backups
    Backup(commands::backup::BackupArgs),
    /// Verifies, publishes and proves the record of every use of personal data
    Ledger(commands::ledger::LedgerArgs),
    /// The gateway to T-Road, and what an auditor asks of its log
    Troad(commands::troad::TroadArgs),
    /// Matches two tables, or one with itself, with no server
    Linkage(commands::linkage::LinkageArgs),
    /// Public lotteries: seal a list, draw, verify
    Lottery(commands::lottery::LotteryArgs),
    /// Checks a configuration file, or prints one to begin with
    Config(commands::config::ConfigArgs),
    /// Registers organisations that may act for residents
    Organisation(commands::organisation::OrganisationArgs),
    /// Opens accounts for the staff
    Staff(commands::staff::StaffArgs),
    /// Looks whether everything the platform needs is there
    Doctor(commands::doctor::DoctorArgs),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments
        .command
        .unwrap_or_else(|| Command::Demo(commands::demo::DemoArgs::default()))
    {
        Command::Demo(args) => commands::demo::run(args),
        Command::Serve(args) => commands::serve::run(&args),
        Command::Service(args) => commands::service::run(args),
        Command::Programme(args) => commands::programme::run(args),
        Command::Rules(args) => commands::rules::run(args),
        Command::Hub(args) => commands::hub::run(args),
        Command::Register(args) => commands::register::run(&args),
        Command::Sweep(args) => commands::sweep::run(&args),
        Command::Backup(args) => commands::backup::run(&args),
        Command::Ledger(args) => commands::ledger::run(&args),
        Command::Troad(args) => commands::troad::run(&args),
        Command::Linkage(args) => commands::linkage::run(args),
        Command::Lottery(args) => commands::lottery::run(args),
        Command::Config(args) => commands::config::run(&args),
        Command::Organisation(args) => commands::organisation::run(&args),
        Command::Staff(args) => commands::staff::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
    }
}
