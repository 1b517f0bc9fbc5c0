//! PostgreSQL's own programs: `pg_dump` of the moment at which the rows were counted, and `pg_restore`.

use std::path::Path;
use std::process::{Command, Stdio};

use sea_orm::{AccessMode, IsolationLevel, TransactionTrait as _};

use super::create::{Taken, look};
use super::{BackupError, aside};
use crate::{StoreError, engine};

/// Longest part of what a program said that is told on.
const SAID: usize = 500;

/// Dumps the database to a file and says what is in the dump: both see the same exported snapshot.
pub(super) async fn dump(url: &str, to: &Path) -> Result<Taken, BackupError> {
    let connections = engine::connect(url).await?;
    let taken = async {
        let tx = connections
            .read
            .begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly))
            .await?;
        let snapshot = engine::export_snapshot(&tx).await?;
        let mut command = program("pg_dump", url)?;
        command.args(["--format=custom", "--no-owner", "--no-privileges"]);
        command.arg(format!("--snapshot={snapshot}")).arg("--file").arg(to);
        run("pg_dump", command).await?;
        let taken = look(&tx).await?;
        tx.rollback().await?;
        Ok(taken)
    };
    let taken = taken.await;
    connections.read.close().await?;
    connections.write.close().await?;
    taken
}

/// Has `pg_restore` read a dump's table of contents.
pub(super) async fn list(dump: &Path) -> Result<(), BackupError> {
    let mut command = Command::new("pg_restore");
    command.arg("--list").arg(dump);
    run("pg_restore", command).await
}

/// Restores a dump into an empty database, all of it or nothing.
pub(super) async fn restore(url: &str, dump: &Path) -> Result<(), BackupError> {
    let connections = engine::connect(url).await?;
    let tables = engine::rows(&connections.read).await;
    connections.read.close().await?;
    connections.write.close().await?;
    if !tables?.is_empty() {
        return Err(BackupError::NotEmpty("the database".to_owned()));
    }
    let mut command = program("pg_restore", url)?;
    command.args([
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
    ]);
    command.arg(dump);
    run("pg_restore", command).await
}

/// A program that connects to the database; the password stands in its environment, where other users can't list it.
fn program(name: &'static str, url: &str) -> Result<Command, BackupError> {
    let wrong = |why: &str| BackupError::Store(StoreError::Address(why.to_owned()));
    let mut address = url::Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
    let password = address.password().unwrap_or_default().to_owned();
    address.set_password(None).map_err(|()| wrong("it names no host"))?;
    let mut command = Command::new(name);
    command.arg(format!("--dbname={address}"));
    if !password.is_empty() {
        let password = percent_encoding::percent_decode_str(&password)
            .decode_utf8_lossy()
            .into_owned();
        command.env("PGPASSWORD", password);
    }
    Ok(command)
}

async fn run(program: &'static str, mut command: Command) -> Result<(), BackupError> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    aside(move || {
        let done = command.output().map_err(|error| BackupError::Program {
            program,
            why: format!("{error}; install PostgreSQL's client programs of the server's version or newer"),
        })?;
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr);
        Err(BackupError::Program {
            program,
            why: said.trim().chars().take(SAID).collect(),
        })
    })
    .await
}
