//! `tongban staff add`: opens an account. The password is read from standard input, the secret of the one-time codes is shown once.

use cases::{Role, staff};
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;
use zeroize::Zeroizing;

use super::{block, refused};
use crate::config::Config;
use crate::{server, terminal};

/// What `staff` is told.
#[derive(Args)]
pub struct StaffArgs {
    #[command(subcommand)]
    command: StaffCommand,
}

#[derive(Subcommand)]
enum StaffCommand {
    /// Opens an account; the first line of standard input is the password
    Add {
        /// The configuration file of the platform
        #[arg(long)]
        config: PathBuf,
        /// Name to sign in with
        #[arg(long)]
        account: String,
        /// Name shown
        #[arg(long)]
        name: String,
        /// officer, supervisor, cashier, auditor, administrator, privacy, steward, clerk, confirmer, organisation, village_officer, grant_writer,
        /// grant_reviewer or grant_officer
        #[arg(long)]
        role: String,
        /// Office, as the service folders name it; for a confirmer the id of the body in bodies.csv, for an organisation its
        /// unified business number, for a grant_writer the id of the government in tiers.csv, for a grant_reviewer and a
        /// grant_officer the ministry as the programme names it
        #[arg(long)]
        agency: String,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub fn run(args: &StaffArgs) -> ExitCode {
    terminal::log(true);
    let StaffCommand::Add {
        config,
        account,
        name,
        role,
        agency,
        json,
    } = &args.command;
    let Some(role) = Role::parse(role) else {
        eprintln!(
            "error: `{role}` is no role; use officer, supervisor, cashier, auditor, administrator, privacy, steward, clerk, confirmer, organisation, village_officer, grant_writer, grant_reviewer or grant_officer"
        );
        return ExitCode::FAILURE;
    };
    let config = match Config::read(config) {
        Ok(config) => config,
        Err(error) => return refused(&error),
    };
    let mut password = Zeroizing::new(String::new());
    if let Err(error) = std::io::stdin().lock().read_line(&mut password) {
        return refused(&error);
    }
    let password = Zeroizing::new(password.trim_end_matches(['\r', '\n']).to_owned());
    let secret = match secret() {
        Ok(secret) => secret,
        Err(error) => return refused(&error),
    };
    let new = staff::NewStaff {
        account: account.clone(),
        name: name.clone(),
        role,
        agency: agency.clone(),
        password,
        totp_secret: Zeroizing::new(secret.to_vec()),
    };
    let made = block(async {
        let desk = server::desk(&config, std::sync::Arc::new(civic::SystemClock), SignedDuration::ZERO).await?;
        let made = staff::add(&desk, new).await;
        desk.store.close().await;
        Ok::<_, server::ServeError>(made)
    });
    match made {
        Ok(Ok(Ok(_))) => {
            let address = otpauth(account, secret.as_slice());
            if *json {
                println!("{}", serde_json::json!({ "account": account, "otpauth": address }));
            } else {
                println!("account {account} is open");
                println!("add this to an authenticator app; it is not shown again:");
                println!("{address}");
            }
            ExitCode::SUCCESS
        }
        Ok(Ok(Err(error))) => refused(&error),
        Ok(Err(error)) => refused(&error),
        Err(error) => refused(&error),
    }
}

/// Twenty random bytes for one-time codes.
///
/// # Errors
/// When the system gives no randomness.
pub fn secret() -> Result<Zeroizing<[u8; 20]>, rand::rand_core::OsError> {
    let mut bytes = Zeroizing::new([0; 20]);
    rand::TryRngCore::try_fill_bytes(&mut rand::rngs::OsRng, bytes.as_mut_slice())?;
    Ok(bytes)
}

/// The address an authenticator app reads.
pub fn otpauth(account: &str, secret: &[u8]) -> String {
    format!(
        "otpauth://totp/Tongban:{account}?secret={}&issuer=Tongban",
        base32(secret)
    )
}

/// Base32 of RFC 4648 without padding.
pub fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            let index = usize::try_from(held >> bits & 31).unwrap_or(0);
            text.push(LETTERS.get(index).copied().map_or('A', char::from));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        let index = usize::try_from(held << (5 - bits) & 31).unwrap_or(0);
        text.push(LETTERS.get(index).copied().map_or('A', char::from));
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (bytes, text) in [
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(super::base32(bytes.as_bytes()), text);
        }
    }
}
