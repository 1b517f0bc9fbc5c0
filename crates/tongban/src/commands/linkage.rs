//! `tongban linkage match`: record linkage from files alone, no server, no database.

use clap::{Args, Subcommand};
use linkage::{Files, LinkError, Summary};
use std::path::PathBuf;
use std::process::ExitCode;

use super::refused;
use crate::terminal::Progress;

/// What `linkage` is told.
#[derive(Args)]
pub struct LinkageArgs {
    #[command(subcommand)]
    command: LinkageCommand,
}

#[derive(Subcommand)]
enum LinkageCommand {
    /// Matches two CSV tables, or one with itself, and writes the pairs with weight, probability, decision and cluster
    Match {
        /// CSV table with a header
        #[arg(long)]
        left: PathBuf,
        /// The other CSV table; without it the left one is matched with itself
        #[arg(long)]
        right: Option<PathBuf>,
        /// The model: columns, blocks, comparisons, thresholds (docs/reference/linkage.md)
        #[arg(long)]
        config: PathBuf,
        /// CSV file for the pairs
        #[arg(long)]
        out: PathBuf,
        /// JSON file of learned weights: read where it is there, else written
        #[arg(long)]
        weights: Option<PathBuf>,
        /// Threads; as many as there are cores unless told
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
        threads: Option<u16>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub fn run(args: LinkageArgs) -> ExitCode {
    let LinkageCommand::Match {
        left,
        right,
        config,
        out,
        weights,
        threads,
        json,
    } = args.command;
    let files = Files {
        left,
        right,
        model: config,
        out,
        weights,
    };
    let threads = threads.map_or_else(linkage::available_threads, usize::from);
    match matched(&files, threads) {
        Ok(summary) if json => {
            println!("{}", serde_json::json!(summary));
            ExitCode::SUCCESS
        }
        Ok(summary) => {
            tell(&summary);
            ExitCode::SUCCESS
        }
        Err(error) => refused(&error),
    }
}

fn matched(files: &Files, threads: usize) -> Result<Summary, LinkError> {
    let progress = Progress::begin();
    let summary = linkage::match_files(files, threads, &|text| progress.step(text));
    progress.end();
    summary
}

fn tell(summary: &Summary) {
    match summary.right_rows {
        Some(right) => println!("{} rows against {right}", summary.left_rows),
        None => println!("{} rows among themselves", summary.left_rows),
    }
    println!(
        "pairs above the floor: {}, matches: {}, to review: {}, clusters: {}",
        summary.pairs, summary.matches, summary.review, summary.clusters
    );
    for (rule, block) in summary.blocks.iter().enumerate() {
        if block.left_out_rows > 0 {
            println!(
                "block {}: {} rows stand in blocks that are too large even when split, and are in no pair of it",
                rule + 1,
                block.left_out_rows
            );
        }
    }
}
