//! The smallest program that brings a file in: `load DATASET FILE LAKE STAGING [KEY]`, the key in hexadecimal. Prints the
//! report as JSON with the peak of memory, and a digest of the table's rows in any order. `cargo xtask bench ingest` runs it.

use std::path::Path;
use std::sync::Arc;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use hub::{At, Dataset, HubError, Job, Lake, Outcome, each_batch, ingest};
use sha2::{Digest, Sha256};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dataset, file, lake, staging, rest @ ..] = args.as_slice() else {
        return Err("usage: load DATASET FILE LAKE STAGING [KEY]".into());
    };
    let dataset = Arc::new(Dataset::load(Path::new(dataset))?);
    let lake = Lake::local(Path::new(lake))?;
    let key = rest.first().map(hex::decode).transpose()?;
    let begun = std::time::Instant::now();
    let mut job = Job::new(Path::new(staging), key.as_deref(), jiff::Timestamp::now());
    job.follow = Arc::new(|progress| {
        eprintln!("{} rows, {} parts", progress.read, progress.parts);
        true
    });
    let report = ingest(&lake, &dataset, Path::new(file), &job).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let mut said = serde_json::to_value(&report)?;
    said["seconds"] = seconds.into();
    said["peak_mib"] = peak_mib().into();
    if report.outcome != Outcome::AlreadyPublished || rest.len() > 1 {
        said["digest"] = digest(&lake, &dataset, key.as_deref()).await?.into();
    }
    println!("{said}");
    Ok(())
}

/// The most memory this process had (`VmHWM`), where the system tells.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib / 1024.0)
}

/// The sum of the rows' digests: the same for the same rows in any order.
async fn digest(lake: &Lake, dataset: &Dataset, key: Option<&[u8]>) -> Result<String, HubError> {
    let mut sum = [0_u64; 4];
    let options = FormatOptions::default().with_null("\u{0}");
    each_batch(lake, dataset, At::Latest, key, &mut |batch| {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .filter_map(|column| ArrayFormatter::try_new(column, &options).ok())
            .collect();
        for row in 0..batch.num_rows() {
            let mut one = Sha256::new();
            for column in &columns {
                one.update(column.value(row).to_string());
                one.update([0x1F]);
            }
            for (sum, part) in sum.iter_mut().zip(one.finalize().chunks_exact(8)) {
                let part: [u8; 8] = part.try_into().unwrap_or_default();
                *sum = sum.wrapping_add(u64::from_le_bytes(part));
            }
        }
        Ok(())
    })
    .await?;
    Ok(sum.iter().map(|part| format!("{part:016x}")).collect())
}
