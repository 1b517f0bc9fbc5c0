//! Packages of ten data sets opened and checked from the envelope to the last digest, on all cores, beside the same work written
//! with OpenSSL. The measured test itself compares what both find.

use super::report::{Report, Target};
use crate::shell::{Done, command, watched};
use serde::Deserialize;

/// What the measurement says, as a line of JSON.
#[derive(Deserialize)]
struct Line {
    equal: bool,
    packages_per_s: f64,
    openssl_packages_per_s: f64,
    package_bytes: f64,
}

/// Ten seconds for each side; two with `--quick`.
pub fn run(quick: bool) -> Done {
    let args = [
        "test",
        "--release",
        "--locked",
        "-p",
        "exchange",
        "-p",
        "tongban",
        "--test",
        "it",
        "--",
        "--ignored",
        "--nocapture",
        "packages_of_ten_data_sets",
    ];
    let mut run = command("cargo", &args);
    run.env("SECONDS", if quick { "2" } else { "10" });
    let mut found: Option<Line> = None;
    let sound = watched(run, |text| {
        if let Ok(line) = serde_json::from_str::<Line>(text) {
            found = Some(line);
        }
    })?;
    let line = found.ok_or("the measurement printed no figures")?;
    let mut report = Report::new("mydata", sound && line.equal);
    report.figure(
        "packages_per_s",
        line.packages_per_s,
        (!quick).then_some(Target::Min(300.0)),
    );
    report.figure("openssl_packages_per_s", line.openssl_packages_per_s, None);
    report.figure(
        "ratio_to_openssl",
        line.packages_per_s / line.openssl_packages_per_s,
        None,
    );
    report.figure("package_bytes", line.package_bytes, None);
    report.finish()
}
