//! What `cargo xtask bench linkage` measures: one line of JSON for a set whose truth is known, or for made-up residents.
//!
//!   measure set MODEL LEFT [RIGHT] --entity COLUMN [--part N]   F1, times and memory of a set
//!   measure residents ROWS FOLDER                               writes two files of that many residents, the second with errors
//!   measure estimate MODEL LEFT [RIGHT]                         what the blocking rules would cost
//!
//! COLUMN holds the truth and is read after the match alone; `--part N` takes the N-th part of it between hyphens.

use arrow::array::{Array, LargeStringArray, RecordBatch};
use linkage::{Curve, Matching, Model, clusters, components, grouped_pairs, one_to_one, read_csv};
use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

mod residents;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["set", model, rest @ ..] => set(model, rest),
        ["residents", rows, folder] => residents::write(rows, Path::new(folder)),
        ["estimate", model, tables @ ..] => estimate(model, tables),
        _ => Err("measure set|residents|estimate …".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn estimate(model: &str, tables: &[&str]) -> Result<(), String> {
    let model = Model::load(Path::new(model)).map_err(told)?;
    let tables = read(tables)?;
    let matching = ready(&model, &tables, linkage::available_threads())?;
    for (rule, estimate) in matching.estimates().iter().enumerate() {
        println!("{} {}", rule + 1, serde_json::to_string(estimate).map_err(told)?);
    }
    Ok(())
}

fn read(paths: &[&str]) -> Result<Vec<RecordBatch>, String> {
    std::thread::scope(|scope| {
        let reading: Vec<_> = paths
            .iter()
            .map(|path| scope.spawn(|| read_csv(Path::new(path))))
            .collect();
        let joined = reading
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a thread stopped".to_owned()));
        joined.map(|table| table?.map_err(told)).collect()
    })
}

fn ready<'a>(model: &'a Model, tables: &[RecordBatch], threads: usize) -> Result<Matching<'a>, String> {
    match tables {
        [one] => Matching::within(model, one, threads),
        [left, right] => Matching::between(model, left, right, threads),
        _ => return Err("one table or two".to_owned()),
    }
    .map_err(told)
}

/// The option behind its name, with the words that are no option.
fn options<'a>(words: &[&'a str]) -> (Vec<&'a str>, HashMap<&'a str, &'a str>) {
    let (mut plain, mut named) = (Vec::new(), HashMap::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some(name) => {
                named.insert(name, words.next().copied().unwrap_or_default());
            }
            None => plain.push(*word),
        }
    }
    (plain, named)
}

fn set(model: &str, words: &[&str]) -> Result<(), String> {
    let (paths, named) = options(words);
    let threads = match named.get("threads") {
        Some(text) => text.parse().map_err(told)?,
        None => linkage::available_threads(),
    };
    let begun = Instant::now();
    let model = Model::load(Path::new(model)).map_err(told)?;
    let tables = read(&paths)?;
    let read_s = begun.elapsed().as_secs_f64();
    let matching = ready(&model, &tables, threads)?;
    let ready_s = begun.elapsed().as_secs_f64() - read_s;
    let (weights, sessions) = matching.train().map_err(told)?;
    let training_s = begun.elapsed().as_secs_f64();
    let pairs = matching.pairs(&weights).map_err(told)?;
    let prediction_s = begun.elapsed().as_secs_f64() - training_s;
    let peak_mib = peak_mib();
    let estimated: u64 = matching.estimates().iter().map(|estimate| estimate.pairs).sum();
    if named.contains_key("verbose") {
        eprintln!("{}", serde_json::to_string_pretty(&weights).map_err(told)?);
        for session in &sessions {
            eprintln!(
                "{:?} share {} of {} in {} rounds",
                session.learned,
                session.share,
                session.pairs,
                session.likelihood.len()
            );
        }
        for estimate in matching.estimates() {
            eprintln!("{estimate:?}");
        }
    }
    drop(matching);
    let column = named.get("entity").copied().unwrap_or("cluster");
    let part = named
        .get("part")
        .map(|text| text.parse::<usize>())
        .transpose()
        .map_err(told)?;
    let truth = entities(&tables, column, part)?;
    let rows: Vec<usize> = tables.iter().map(RecordBatch::num_rows).collect();
    let first = if tables.len() > 1 { rows[0] } else { 0 };
    let true_pairs = true_pairs(&truth, first);
    let mut curve = Curve::new(true_pairs);
    let (mut found, is_true) = (0_u64, |left: u32, right: u32| {
        truth[left as usize] == truth[first + right as usize]
    });
    for pair in &pairs {
        let hit = is_true(pair.left, pair.right);
        found += u64::from(hit);
        curve.add(f64::from(pair.weight), hit);
    }
    let best = curve.best().ok_or("no pair was made")?;
    // what follows from the pairs: one partner each, or clusters
    let (mut followed, mut at, mut decided_s) = (0.0_f64, 0.0, f64::INFINITY);
    for step in -4..=16 {
        let (weight, begun) = (f64::from(step), Instant::now());
        let f1 = |(hits, made): (u64, u64)| 2.0 * hits as f64 / (made + true_pairs).max(1) as f64;
        let f1 = if tables.len() > 1 {
            let kept = one_to_one(rows[0], rows[1], &pairs, weight);
            let hits = kept.iter().filter(|pair| is_true(pair.left, pair.right)).count() as u64;
            f1((hits, kept.len() as u64))
        } else {
            let averaged = f1(grouped_pairs(&clusters(rows[0], &pairs, weight, model.floor), &truth));
            averaged.max(f1(grouped_pairs(&components(rows[0], &pairs, weight), &truth)))
        };
        if f1 > followed {
            (followed, at, decided_s) = (f1, weight, begun.elapsed().as_secs_f64());
        }
    }
    let line = serde_json::json!({
        "true_pairs": true_pairs, "f1": best.f1, "weight": best.weight, "precision": best.precision, "recall": best.recall,
        "found_by_blocking": found as f64 / true_pairs.max(1) as f64, "scored": pairs.len(), "estimated": estimated,
        "decided_f1": followed, "decided_at": at, "decided_s": decided_s,
        "read_s": read_s, "ready_s": ready_s, "training_s": training_s, "prediction_s": prediction_s, "peak_mib": peak_mib,
    });
    println!("{line}");
    Ok(())
}

/// The truth of each row as a number.
fn entities(tables: &[RecordBatch], column: &str, part: Option<usize>) -> Result<Vec<u32>, String> {
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut all = Vec::new();
    for table in tables {
        let array = table
            .column_by_name(column)
            .ok_or_else(|| format!("there is no column `{column}`"))?;
        let array: &LargeStringArray = array.as_any().downcast_ref().ok_or("the truth is no text")?;
        for row in 0..array.len() {
            let text = if array.is_valid(row) { array.value(row) } else { "" };
            let text = part.map_or(text, |part| text.split('-').nth(part).unwrap_or_default());
            let next = u32::try_from(numbers.len()).map_err(told)?;
            all.push(*numbers.entry(text.to_owned()).or_insert(next));
        }
    }
    Ok(all)
}

fn true_pairs(truth: &[u32], first: usize) -> u64 {
    let mut counts: HashMap<u32, (u64, u64)> = HashMap::new();
    for (row, entity) in truth.iter().enumerate() {
        let count = counts.entry(*entity).or_default();
        if row < first {
            count.0 += 1;
        } else {
            count.1 += 1;
        }
    }
    match first {
        0 => counts
            .values()
            .map(|(_, count)| count * count.saturating_sub(1) / 2)
            .sum(),
        _ => counts.values().map(|(left, right)| left * right).sum(),
    }
}

/// The most memory the process has had.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or_default();
    let number = line.split_whitespace().nth(1).and_then(|text| text.parse::<f64>().ok());
    number.unwrap_or(0.0) / 1024.0
}
