//! A real PostgreSQL of our own for the tests: its own data folder, its own port on loopback, gone afterwards.

use crate::shell::{Done, command, is_root, must};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running server. Stopped and removed when dropped.
pub struct Server {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Makes a data folder and starts the newest PostgreSQL that Debian installed.
    pub fn start() -> Done<Server> {
        let bin = newest()?;
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("no free port: {error}"))?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        drop(listener);
        // Not under the target folder: the server refuses to run as root, and its own user may not enter there.
        // Named by the port too: a bench inside the tests has a second server of its own.
        let folder = std::env::temp_dir().join(format!("tongban-postgres-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        if is_root() {
            must(command("chown", &["postgres", &folder.to_string_lossy()]))?;
        }
        let server = Server { bin, folder, port };
        let data = server.folder.join("data");
        server.as_owner(
            "initdb",
            &[
                "--auth=trust",
                "--username=tongban",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "-D",
                &data.to_string_lossy(),
            ],
        )?;
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=200",
            server.folder.display()
        );
        let log = server.folder.join("log");
        server.as_owner(
            "pg_ctl",
            &[
                "-w",
                "-D",
                &data.to_string_lossy(),
                "-l",
                &log.to_string_lossy(),
                "-o",
                &options,
                "start",
            ],
        )?;
        Ok(server)
    }

    /// `postgres://` address of an administrator who may create databases.
    pub fn url(&self) -> String {
        format!("postgres://tongban@127.0.0.1:{}/postgres", self.port)
    }

    fn as_owner(&self, program: &str, args: &[&str]) -> Done {
        let path = self.bin.join(program);
        let mut command = if is_root() {
            let mut runuser = Command::new("runuser");
            runuser.args(["-u", "postgres", "--"]).arg(&path);
            runuser
        } else {
            Command::new(&path)
        };
        command
            .args(args)
            .current_dir(&self.folder)
            .stdin(std::process::Stdio::null());
        // pg_ctl leaves its server behind with our output open; a file keeps us from waiting for that.
        let out = std::fs::File::create(self.folder.with_extension("out")).map_err(|error| error.to_string())?;
        command.stdout(out);
        must(command)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        if let Err(error) = self.as_owner(
            "pg_ctl",
            &["-w", "-m", "immediate", "-D", &data.to_string_lossy(), "stop"],
        ) {
            eprintln!("the test PostgreSQL did not stop: {error}");
        }
        for left in [self.folder.clone(), self.folder.with_extension("out")] {
            let _ = if left.is_dir() {
                std::fs::remove_dir_all(left)
            } else {
                std::fs::remove_file(left)
            };
        }
    }
}

fn newest() -> Done<PathBuf> {
    let base = Path::new("/usr/lib/postgresql");
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(base)
        .map_err(|error| format!("{}: {error}; run `cargo xtask setup`", base.display()))?
        .filter_map(|entry| entry.ok())
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    versions.sort();
    versions
        .pop()
        .map(|(_, bin)| bin)
        .ok_or_else(|| "no PostgreSQL server found; run `cargo xtask setup`".to_owned())
}

/// Starts a server for a person who wants to look at it, and stops it on Enter.
pub fn interactive() -> Done {
    let server = Server::start()?;
    println!("TONGBAN_TEST_POSTGRES={}", server.url());
    println!("press Enter to stop");
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|error| error.to_string())?;
    drop(server);
    Ok(())
}
