//! `tongban lottery seal|draw|verify`: a public lottery from files alone, no server, no database.

use clap::{Args, Subcommand};
use lottery::{Draw, SealedList};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::refused;

/// Largest file that is read: five million tickets.
const MOST_BYTES: u64 = 2 << 30;

/// What `lottery` is told.
#[derive(Args)]
pub struct LotteryArgs {
    #[command(subcommand)]
    command: LotteryCommand,
}

#[derive(Subcommand)]
enum LotteryCommand {
    /// Seals a list: puts it in order and writes it with its digest, ready to be published
    Seal {
        /// The list as JSON: round, seed_rule, places, tickets
        list: PathBuf,
        /// File to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Draws from a sealed list
    Draw {
        /// The file that `seal` wrote
        sealed: PathBuf,
        /// The public value, exactly as it was announced
        #[arg(long)]
        seed: String,
        /// File to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Recomputes a draw from its published file and says whether it holds
    Verify {
        /// The file published after the draw
        draw: PathBuf,
        /// The file published before the draw, to see whether anything was changed since
        #[arg(long)]
        sealed: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Why a command of the lottery was refused.
#[derive(Debug, thiserror::Error)]
enum LotteryError {
    #[error("{path}: {why}", path = path.display())]
    File { path: PathBuf, why: String },
    #[error(transparent)]
    List(#[from] lottery::ListError),
    #[error("the list was changed after it was sealed: its digest is {found}, published was {published}")]
    Changed { published: String, found: String },
}

/// Runs the command.
pub fn run(args: LotteryArgs) -> ExitCode {
    let done = match args.command {
        LotteryCommand::Seal { list, out } => seal(&list, &out).map(|()| true),
        LotteryCommand::Draw { sealed, seed, out } => draw(&sealed, &seed, &out).map(|()| true),
        LotteryCommand::Verify { draw, sealed, json } => verify(&draw, sealed.as_deref(), json),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => refused(&error),
    }
}

fn wrong(path: &Path, why: impl std::fmt::Display) -> LotteryError {
    LotteryError::File {
        path: path.to_path_buf(),
        why: why.to_string(),
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, LotteryError> {
    let size = std::fs::metadata(path).map_err(|error| wrong(path, error))?.len();
    if size > MOST_BYTES {
        return Err(wrong(path, "it is larger than 2 GiB"));
    }
    let text = std::fs::read(path).map_err(|error| wrong(path, error))?;
    serde_json::from_slice(&text).map_err(|error| wrong(path, error))
}

fn write(path: &Path, draw: &Draw) -> Result<(), LotteryError> {
    let text = serde_json::to_vec_pretty(draw).map_err(|error| wrong(path, error))?;
    std::fs::write(path, text).map_err(|error| wrong(path, error))
}

fn seal(list: &Path, out: &Path) -> Result<(), LotteryError> {
    let sealed = Draw::seal(read::<SealedList>(list)?)?;
    write(out, &sealed)?;
    println!(
        "{} tickets, {} places",
        sealed.list.tickets.len(),
        sealed.list.places.len()
    );
    println!("digest {}", sealed.list_digest);
    Ok(())
}

fn draw(sealed: &Path, seed: &str, out: &Path) -> Result<(), LotteryError> {
    let sealed: Draw = read(sealed)?;
    let found = sealed.list.digest()?;
    if found != sealed.list_digest {
        let published = sealed.list_digest;
        return Err(LotteryError::Changed { published, found });
    }
    let drawn = lottery::draw(sealed.list, seed)?;
    write(out, &drawn)?;
    let placed: usize = drawn.result.iter().flatten().map(|result| result.placed.len()).sum();
    println!("{placed} of {} tickets have a place", drawn.list.tickets.len());
    Ok(())
}

fn verify(path: &Path, sealed: Option<&Path>, json: bool) -> Result<bool, LotteryError> {
    let draw: Draw = read(path)?;
    let before = sealed.map(read::<Draw>).transpose()?;
    let findings: Vec<String> = lottery::verify(&draw, before.as_ref())
        .iter()
        .map(ToString::to_string)
        .collect();
    let holds = findings.is_empty();
    if json {
        println!(
            "{}",
            serde_json::json!({ "holds": holds, "digest": draw.list_digest, "findings": findings })
        );
    } else if holds {
        println!(
            "the draw of {} holds: {} tickets, digest {}",
            draw.list.round,
            draw.list.tickets.len(),
            draw.list_digest
        );
    } else {
        for finding in &findings {
            eprintln!("error: {finding}");
        }
    }
    Ok(holds)
}
