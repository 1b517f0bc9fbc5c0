//! The load: residents who apply again and again, each request an ordinary one of a browser.

use super::client::{Client, input};
use crate::shell::{Done, command, must, root, target};
use serde::Deserialize;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The service that is applied for.
const SERVICE: &str = "birth-allowance";

/// What the demonstration says when it is open.
#[derive(Deserialize)]
struct Facts {
    portal: String,
    offered: Vec<String>,
}

/// A running demonstration city with residents to apply in it.
pub struct Platform {
    child: Child,
    pub portal: String,
    pub residents: Vec<String>,
}

/// The folder of the service under load, made anew.
pub fn services() -> Done<PathBuf> {
    let folder = target().join("bench/services");
    let service = folder.join(SERVICE);
    let _ = std::fs::remove_dir_all(&service);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let mut new = Command::new(binary());
    new.args(["service", "new"]).arg(&service).stdout(Stdio::null());
    must(new)?;
    std::fs::copy(root().join("bench/portal/form.toml"), service.join("form.toml"))
        .map_err(|error| error.to_string())?;
    Ok(folder)
}

/// The program under load.
pub fn binary() -> PathBuf {
    target().join("release/tongban")
}

/// Builds the program, if it is not fresh: as the tests build it, since fewer targets are other features and a second build.
pub fn build() -> Done {
    must(command(
        "cargo",
        &["build", "--release", "--workspace", "--all-targets", "--locked"],
    ))
}

impl Platform {
    /// Starts the demonstration on a folder and waits until the portal is open.
    pub fn start(
        data: &Path,
        services: &Path,
        residents: usize,
        offer: usize,
        database: Option<&str>,
    ) -> Done<Platform> {
        let mut program = Command::new(binary());
        program
            .args([
                "demo",
                "--json",
                "--no-history",
                "--listen",
                "127.0.0.1:0",
                "--residents",
                &residents.to_string(),
            ])
            .args(["--offer", &offer.to_string()])
            .arg("--data")
            .arg(data)
            .arg("--services")
            .arg(services)
            .env("TONGBAN_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(database) = database {
            program.args(["--database", database]);
        }
        let mut child = program
            .spawn()
            .map_err(|error| format!("the program did not start: {error}"))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            std::io::BufReader::new(out)
                .read_line(&mut line)
                .map_err(|error| error.to_string())?;
        }
        let facts: Facts = serde_json::from_str(&line).map_err(|error| {
            let _ = child.kill();
            format!("the program did not open its portal: {error}")
        })?;
        Ok(Platform {
            child,
            portal: facts.portal,
            residents: facts.offered,
        })
    }

    /// Resident memory of the server, MiB.
    pub fn memory(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS"))?;
        Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
    }

    /// Sudden death: no word to the process, no time for it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Signs a resident in at the demonstration's issuer.
pub fn sign_in(portal: &str, resident: &str) -> Done<Client> {
    let mut client = Client::new(portal);
    let page = client.get("/sign-in")?;
    let token = input(&page.body, "_token")
        .ok_or("the sign-in page has no token")?
        .to_owned();
    let issuer = client.post("/sign-in/go", &[("_token", &token), ("return", "/")])?;
    let hidden = [
        "client_id",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    ];
    let mut fields: Vec<(&str, String)> = hidden
        .iter()
        .filter_map(|name| Some((*name, input(&issuer.body, name)?.replace("&amp;", "&"))))
        .collect();
    fields.push(("other", resident.to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let home = client.post("/authorize", &fields)?;
    if home.status != 200 || home.path.starts_with("/sign-in") {
        return Err(format!("the sign-in ended at {} with {}", home.path, home.status));
    }
    client.get(&format!("{portal}/applications"))?;
    Ok(client)
}

/// One application, from the opened form to the number on the confirmation.
pub fn apply(client: &mut Client, portal: &str) -> Done<String> {
    let service = client.get(&format!("{portal}/services/{SERVICE}"))?;
    let token = input(&service.body, "_token")
        .ok_or("the service page has no token")?
        .to_owned();
    let token = token.as_str();
    let mut page = client.post(&format!("/services/{SERVICE}/start"), &[("_token", token)])?;
    if page.path.ends_with("/notice") {
        let to = page.path.clone();
        page = client.post(&to, &[("_token", token)])?;
    }
    while page.path.contains("/form/") {
        let revision = input(&page.body, "_revision")
            .ok_or("the form has no revision")?
            .to_owned();
        let to = page.path.split('?').next().unwrap_or_default().to_owned();
        let answers = [
            ("_token", token),
            ("_revision", &revision),
            ("_from", ""),
            ("children", "1"),
            ("days_registered", "400"),
            ("name", "王小明"),
            ("phone", "0912345678"),
            ("email", ""),
            ("address", "臺中市西區民生路1號"),
            ("account.bank", "004"),
            ("account.account", "012345678901"),
        ];
        page = client.post(&to, &answers)?;
        if page.status != 200 {
            return Err(format!("the form was answered with {}", page.status));
        }
    }
    let revision = input(&page.body, "_revision")
        .ok_or_else(|| format!("{} has no revision", page.path))?
        .to_owned();
    let form_token = input(&page.body, "_form_token")
        .ok_or("the check has no form token")?
        .to_owned();
    let to = page.path.split('?').next().unwrap_or_default().to_owned();
    let done = client.post(
        &to,
        &[
            ("_token", token),
            ("_revision", &revision),
            ("_form_token", &form_token),
        ],
    )?;
    number(&done.body).ok_or_else(|| format!("no number at {} ({})", done.path, done.status))
}

/// The first application number of a page.
fn number(page: &str) -> Option<String> {
    numbers(page).into_iter().next()
}

/// All application numbers of a page, such as `115-BA-000123`.
pub fn numbers(page: &str) -> Vec<String> {
    page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| {
            let mut parts = word.split('-');
            let digits = |part: Option<&str>, least: usize| {
                part.is_some_and(|part| part.len() >= least && part.bytes().all(|byte| byte.is_ascii_digit()))
            };
            digits(parts.next(), 3)
                && parts
                    .next()
                    .is_some_and(|series| series.bytes().all(|byte| byte.is_ascii_uppercase()))
                && digits(parts.next(), 6)
                && parts.next().is_none()
        })
        .map(str::to_owned)
        .collect()
}

/// What a load came to.
pub struct Outcome {
    /// Numbers that clients were told.
    pub accepted: Vec<String>,
    /// Seconds of each application.
    pub times: Vec<f64>,
    /// What went wrong.
    pub errors: Vec<String>,
    pub seconds: f64,
}

/// Has one client for each resident apply until the time is over or, with `until_error`, the server is gone.
pub fn run(portal: &str, residents: &[String], time: Duration, until_error: bool) -> Done<Outcome> {
    let clients: Done<Vec<Client>> = std::thread::scope(|scope| {
        let threads: Vec<_> = residents
            .iter()
            .map(|resident| scope.spawn(move || sign_in(portal, resident)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a client stopped".to_owned())?)
            .collect()
    });
    let begun = Instant::now();
    let parts: Vec<(Vec<String>, Vec<f64>, Vec<String>)> = std::thread::scope(|scope| {
        let work = |mut client: Client| {
            let (mut accepted, mut times, mut errors) = (Vec::new(), Vec::new(), Vec::new());
            while begun.elapsed() < time {
                let one = Instant::now();
                match apply(&mut client, portal) {
                    Ok(number) => {
                        accepted.push(number);
                        times.push(one.elapsed().as_secs_f64());
                    }
                    Err(error) => {
                        errors.push(error);
                        if until_error {
                            break;
                        }
                    }
                }
            }
            (accepted, times, errors)
        };
        let threads: Vec<_> = clients?
            .into_iter()
            .map(|client| scope.spawn(move || work(client)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a client stopped".to_owned()))
            .collect::<Done<_>>()
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let mut outcome = Outcome {
        accepted: Vec::new(),
        times: Vec::new(),
        errors: Vec::new(),
        seconds,
    };
    for (accepted, times, errors) in parts {
        outcome.accepted.extend(accepted);
        outcome.times.extend(times);
        outcome.errors.extend(errors);
    }
    outcome.times.sort_by(f64::total_cmp);
    Ok(outcome)
}

impl Outcome {
    /// Milliseconds that a share of the applications stayed below.
    pub fn percentile(&self, share: usize) -> f64 {
        let place = (self.times.len() * share / 100).min(self.times.len().saturating_sub(1));
        self.times.get(place).copied().unwrap_or_default() * 1000.0
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_found_among_other_words() {
        let page = "<b>115-BA-000123</b> 2026-11-25 a1-BA-1 115-ba-000001 115-SA-000124-1";
        assert_eq!(super::numbers(page), ["115-BA-000123"]);
    }
}
