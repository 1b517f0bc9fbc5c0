//! Privacy-preserving matching (隱私保護勾稽): two offices that may not show each other names agree on a key and settings, each turns
//! its records into Bloom filters, and the filters are compared.
//!
//! A record becomes one cryptographic long-term key (Schnell, Bachteler and Reiher, "Privacy-preserving record linkage using Bloom
//! filters", BMC Med Inform Decis Mak 9:41, 2009; "A novel error-tolerant anonymous linking code", 2011): the bigrams of all its
//! fields, each hashed `hashes` times into one row of bits. The places come from HMAC-SHA-256 under the key, over field and bigram, one
//! independent draw for each (random hashing, Niedermeyer et al. 2014), not from sums of two hashes, which are known to be
//! attackable. Two filters are as like as their Dice coefficient.
//!
//! Filters protect against who does not have the key. Who has it can try names, and frequent names give frequent bits even to
//! who has not: `hardening` lessens that and does not end it. What is promised and what is not stands in
//! docs/reference/linkage.md.

use crate::block::{between, larger_than, made_before};
use crate::encode::mixed;
use crate::error::LinkError;
use crate::model::{Column, Kind};
use crate::normalise::normalised;
use crate::table;
use crate::threads;
use arrow::array::{Array, LargeStringArray, RecordBatch};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use sha2::Sha256;
use std::collections::hash_map::Entry;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Shortest key, in bytes.
const SHORTEST_KEY: usize = 32;
/// Rows of one sampled key above which the key says nothing.
const MOST_ROWS_OF_KEY: usize = 2_000;

/// The key both offices hold and nobody else.
pub struct FilterKey(Vec<u8>);

impl std::fmt::Debug for FilterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FilterKey(…)")
    }
}

impl FilterKey {
    /// A key of at least 32 random bytes.
    ///
    /// # Errors
    /// [`LinkError::Filter`] when it is shorter.
    pub fn new(bytes: &[u8]) -> Result<FilterKey, LinkError> {
        match bytes.len() >= SHORTEST_KEY {
            true => Ok(FilterKey(bytes.to_vec())),
            false => Err(LinkError::Filter(format!(
                "the key has {} bytes; take at least {SHORTEST_KEY} random ones",
                bytes.len()
            ))),
        }
    }

    fn digest(&self, parts: &[&[u8]]) -> Result<[u8; 32], LinkError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .map_err(|_| LinkError::Filter("the key can't be used".to_owned()))?;
        for part in parts {
            // lengths keep `ab` + `c` and `a` + `bc` apart
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        Ok(mac.finalize().into_bytes().into())
    }
}

/// How frequent patterns are made harder to read from the bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hardening {
    /// Not at all.
    None,
    /// The second half of the bits is laid over the first (XOR folding, Schnell and Borgs 2016): a set bit no longer says which of two
    /// places it came from.
    #[default]
    XorFold,
    /// The complement is put behind the filter and all bits are shuffled under the key (balanced filters, Schnell and Borgs 2016):
    /// every filter has as many ones as zeros, so their number says nothing of the length of a name.
    Balanced,
}

/// A field of the filter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    name: String,
    from: Option<String>,
    kind: Kind,
    format: Option<String>,
    /// Bits of each bigram: how much the field counts.
    hashes: u8,
}

/// What both offices must set alike.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterSettings {
    id: String,
    #[serde(default = "bits")]
    bits: u32,
    #[serde(default)]
    hardening: Hardening,
    /// Dice coefficient from which two records are alike.
    #[serde(default = "threshold")]
    threshold: f64,
    /// Samples of bits by which candidates are found, and bits of a sample.
    #[serde(default = "samples")]
    samples: u8,
    #[serde(default = "sampled_bits")]
    sampled_bits: u8,
    field: Vec<Field>,
}

fn bits() -> u32 {
    1024
}

fn threshold() -> f64 {
    0.8
}

fn samples() -> u8 {
    48
}

fn sampled_bits() -> u8 {
    20
}

impl FilterSettings {
    /// Reads settings from the text of a TOML file.
    ///
    /// # Errors
    /// [`LinkError::Filter`] with what is wrong.
    pub fn parse(text: &str) -> Result<FilterSettings, LinkError> {
        let settings: FilterSettings =
            toml::from_str(text).map_err(|error| LinkError::Filter(error.message().trim().replace('\n', ", ")))?;
        let refused = |why: &str| Err(LinkError::Filter(why.to_owned()));
        if !settings.bits.is_power_of_two() || !(256..=8192).contains(&settings.bits) {
            return refused("`bits` is a power of two from 256 to 8192");
        }
        if settings.field.is_empty() || settings.field.len() > 32 {
            return refused("a filter has 1 to 32 fields");
        }
        if settings.field.iter().any(|field| !(1..=64).contains(&field.hashes)) {
            return refused("`hashes` is from 1 to 64");
        }
        if !(0.0..=1.0).contains(&settings.threshold) {
            return refused("`threshold` is from 0 to 1");
        }
        if settings.samples == 0 || !(1..=64).contains(&settings.sampled_bits) {
            return refused("`samples` is at least 1 and `sampled_bits` from 1 to 64");
        }
        Ok(settings)
    }

    /// Bits of a filter as it leaves the office.
    fn length(&self) -> usize {
        let bits = self.bits as usize;
        match self.hardening {
            Hardening::None => bits,
            Hardening::XorFold => bits / 2,
            Hardening::Balanced => bits * 2,
        }
    }

    /// Names key and settings without telling the key: filters of another name can't be compared with these.
    fn name(&self, key: &FilterKey) -> Result<String, LinkError> {
        let mut text = format!("{} {:?}", self.bits, self.hardening);
        for field in &self.field {
            text.push_str(&format!(
                "|{} {:?} {:?} {}",
                field.name, field.kind, field.format, field.hashes
            ));
        }
        let digest = key.digest(&[b"name", text.as_bytes()])?;
        let short: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("filter_{short}"))
    }
}

/// Filters of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filters {
    /// The record's own id at its office: it means nothing to the other, unless both use one number.
    pub ids: Vec<String>,
    name: String,
    /// 64 bits a word, row by row.
    words: Vec<u64>,
    width: usize,
}

/// Two filters that are alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alike {
    /// Row of the left filters.
    pub left: u32,
    /// Row of the right filters.
    pub right: u32,
    /// Dice coefficient, 0 to 1.
    pub dice: f32,
}

/// Turns a table into filters. A record whose fields are all missing becomes a filter that is like none.
///
/// # Errors
/// [`LinkError::Table`] when a column is missing.
pub fn encode(settings: &FilterSettings, key: &FilterKey, batch: &RecordBatch) -> Result<Filters, LinkError> {
    let ids = table::column(batch, "records", &settings.id)?;
    let width = settings.length() / 64;
    let mut filters = Filters {
        ids: (0..batch.num_rows())
            .map(|row| ids.get(row).map_or_else(|| format!("#{}", row + 1), str::to_owned))
            .collect(),
        name: settings.name(key)?,
        words: Vec::with_capacity(batch.num_rows() * width),
        width,
    };
    let mut fields = Vec::new();
    for field in &settings.field {
        let from = field.from.clone().unwrap_or_else(|| field.name.clone());
        let column = Column {
            name: field.name.clone(),
            from: vec![from.clone()],
            kind: field.kind,
            format: field.format.clone(),
        };
        let places: FxHashMap<[char; 2], Vec<u32>> = FxHashMap::default();
        fields.push((field, column, table::column(batch, "records", &from)?, places));
    }
    let shuffled = shuffled(key, settings.length())?;
    for row in 0..batch.num_rows() {
        let mut words = vec![0_u64; settings.bits as usize / 64];
        for (field, column, texts, places) in &mut fields {
            let Some(text) = texts.get(row) else {
                continue;
            };
            for gram in bigrams(&normalised(text, column)) {
                let of_gram = match places.entry(gram) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(places_of(key, &field.name, gram, field.hashes, settings.bits)?),
                };
                for place in of_gram.iter() {
                    words[*place as usize / 64] |= 1 << (place % 64);
                }
            }
        }
        match words.iter().all(|word| *word == 0) {
            true => filters.words.extend(std::iter::repeat_n(0, width)),
            false => filters.words.extend(hardened(words, settings.hardening, &shuffled)),
        }
    }
    Ok(filters)
}

/// The bigrams of a value with a blank at either end, each once.
fn bigrams(text: &str) -> Vec<[char; 2]> {
    if text.is_empty() {
        return Vec::new();
    }
    let characters: Vec<char> = std::iter::once(' ')
        .chain(text.chars())
        .chain(std::iter::once(' '))
        .collect();
    let mut grams: Vec<[char; 2]> = characters.windows(2).map(|pair| [pair[0], pair[1]]).collect();
    grams.sort_unstable();
    grams.dedup();
    grams
}

fn places_of(key: &FilterKey, field: &str, gram: [char; 2], hashes: u8, bits: u32) -> Result<Vec<u32>, LinkError> {
    let gram: String = gram.iter().collect();
    let mut places = Vec::with_capacity(hashes as usize);
    let mut block = 0_u8;
    while places.len() < hashes as usize {
        let digest = key.digest(&[b"place", field.as_bytes(), gram.as_bytes(), &[block]])?;
        // the number of bits is a power of two, so no place is likelier than another
        let drawn = digest
            .chunks_exact(2)
            .map(|pair| u32::from(u16::from_le_bytes([pair[0], pair[1]])) % bits);
        places.extend(drawn.take(hashes as usize - places.len()));
        block = block.wrapping_add(1);
    }
    Ok(places)
}

/// An order of the places under the key.
fn shuffled(key: &FilterKey, length: usize) -> Result<Vec<usize>, LinkError> {
    let mut places: Vec<usize> = (0..length).collect();
    let digest = key.digest(&[b"order"])?;
    let mut state = digest.chunks_exact(8).fold(0_u64, |state, part| {
        mixed(state ^ part.try_into().map_or(0, u64::from_le_bytes))
    });
    for at in (1..places.len()).rev() {
        state = mixed(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
        places.swap(at, ((u128::from(state) * (at as u128 + 1)) >> 64) as usize);
    }
    Ok(places)
}

fn hardened(words: Vec<u64>, hardening: Hardening, order: &[usize]) -> Vec<u64> {
    match hardening {
        Hardening::None => words,
        Hardening::XorFold => {
            let (first, second) = words.split_at(words.len() / 2);
            first.iter().zip(second).map(|(a, b)| a ^ b).collect()
        }
        Hardening::Balanced => {
            let both: Vec<u64> = words.iter().copied().chain(words.iter().map(|word| !word)).collect();
            let mut moved = vec![0_u64; both.len()];
            for (to, from) in order.iter().enumerate() {
                moved[to / 64] |= (both[from / 64] >> (from % 64) & 1) << (to % 64);
            }
            moved
        }
    }
}

impl Filters {
    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    fn of(&self, row: usize) -> &[u64] {
        &self.words[row * self.width..(row + 1) * self.width]
    }

    /// The Dice coefficient of a record with one of the other filters: twice the common bits by the bits of both.
    #[must_use]
    pub fn dice(&self, row: usize, other: &Filters, other_row: usize) -> f64 {
        let (a, b) = (self.of(row), other.of(other_row));
        let ones = |words: &[u64]| words.iter().map(|word| word.count_ones()).sum::<u32>();
        let common: u32 = a.iter().zip(b).map(|(a, b)| (a & b).count_ones()).sum();
        let both = ones(a) + ones(b);
        if both == 0 {
            0.0
        } else {
            f64::from(2 * common) / f64::from(both)
        }
    }

    /// Writes the filters as CSV: id and bits in Base64. The header names key and settings without telling them.
    ///
    /// # Errors
    /// [`LinkError::File`].
    pub fn write(&self, path: &Path) -> Result<(), LinkError> {
        let wrong = |error: std::io::Error| LinkError::File {
            path: path.to_path_buf(),
            why: error.to_string(),
        };
        let mut out = csv::Writer::from_writer(BufWriter::new(std::fs::File::create(path).map_err(wrong)?));
        let mut put = |record: [&str; 2]| out.write_record(record).map_err(|error| wrong(error.into()));
        put(["id", &self.name])?;
        for (row, id) in self.ids.iter().enumerate() {
            let bytes: Vec<u8> = self.of(row).iter().flat_map(|word| word.to_le_bytes()).collect();
            put([id, &STANDARD.encode(bytes)])?;
        }
        let mut inner = out.into_inner().map_err(|error| wrong(error.into_error()))?;
        inner.flush().map_err(wrong)
    }

    /// Reads filters that the other office wrote, made with this key and these settings.
    ///
    /// # Errors
    /// [`LinkError::File`], and [`LinkError::Filter`] when they were made with others.
    pub fn read(path: &Path, settings: &FilterSettings, key: &FilterKey) -> Result<Filters, LinkError> {
        let batch = table::read_csv(path)?;
        let name = settings.name(key)?;
        let text = |name: &str| {
            batch
                .column_by_name(name)
                .and_then(|array| array.as_any().downcast_ref::<LargeStringArray>())
        };
        let (Some(ids), Some(bits)) = (text("id"), text(&name)) else {
            let message = format!(
                "{}: the filters were made with another key or other settings; both offices need the same",
                path.display()
            );
            return Err(LinkError::Filter(message));
        };
        let width = settings.length() / 64;
        let mut filters = Filters {
            ids: Vec::with_capacity(batch.num_rows()),
            name,
            words: Vec::with_capacity(batch.num_rows() * width),
            width,
        };
        for row in 0..batch.num_rows() {
            let bytes = if bits.is_valid(row) {
                STANDARD.decode(bits.value(row)).unwrap_or_default()
            } else {
                Vec::new()
            };
            if bytes.len() != width * 8 {
                let message = format!(
                    "{}: row {} is no filter of {} bits",
                    path.display(),
                    row + 1,
                    width * 64
                );
                return Err(LinkError::Filter(message));
            }
            let words = bytes
                .chunks_exact(8)
                .map(|part| part.try_into().map_or(0, u64::from_le_bytes));
            filters.words.extend(words);
            filters.ids.push(if ids.is_valid(row) {
                ids.value(row).to_owned()
            } else {
                format!("#{}", row + 1)
            });
        }
        Ok(filters)
    }

    /// Keys of all rows by one sample of bits.
    fn sampled(&self, sample: u8, bits: u8) -> Vec<u64> {
        let length = (self.width * 64) as u64;
        let place = |bit: u8| mixed(u64::from(sample) << 8 | u64::from(bit)) % length;
        let places: Vec<u64> = (0..bits).map(place).collect();
        (0..self.len())
            .map(|row| {
                let words = self.of(row);
                let bit = |place: &u64| words[(place / 64) as usize] >> (place % 64) & 1;
                let key = places.iter().fold(1_u64, |key, place| key << 1 | bit(place));
                // a filter without a bit is like none
                if words.iter().all(|word| *word == 0) {
                    0
                } else {
                    mixed(key).max(1)
                }
            })
            .collect()
    }
}

/// The records of two offices whose filters are alike, in the order of their rows. Candidates agree in all bits of one of many
/// samples (locality-sensitive hashing for Hamming distance, Durham 2012); a pair each of whose samples differs is not found. The same
/// for `(left, right)` and `(right, left)`.
///
/// # Errors
/// [`LinkError::Filter`] when the filters were not made with one key and one setting.
pub fn alike(
    left: &Filters,
    right: &Filters,
    settings: &FilterSettings,
    threads: usize,
) -> Result<Vec<Alike>, LinkError> {
    if left.name != right.name {
        let message = "the filters were made with different keys or settings; both offices need the same";
        return Err(LinkError::Filter(message.to_owned()));
    }
    let samples = settings.samples as usize;
    let keys = |filters: &Filters| -> Result<Vec<u64>, LinkError> {
        let columns = threads::each(
            threads,
            samples,
            || (),
            |(), sample| Ok(filters.sampled(sample as u8, settings.sampled_bits)),
        )?;
        let mut keys = vec![0; filters.len() * samples];
        for (sample, column) in columns.iter().enumerate() {
            column
                .iter()
                .enumerate()
                .for_each(|(row, key)| keys[row * samples + sample] = *key);
        }
        Ok(keys)
    };
    let (mut of_left, mut of_right) = (keys(left)?, keys(right)?);
    for sample in 0..samples {
        // a key that too many share is taken from all of them, so that their pairs are left to the other samples
        let both: Vec<u64> = [&of_left, &of_right]
            .into_iter()
            .flat_map(|keys| keys.iter().skip(sample).step_by(samples))
            .copied()
            .collect();
        let too_large = larger_than(&both, MOST_ROWS_OF_KEY);
        for key in [&mut of_left, &mut of_right]
            .into_iter()
            .flat_map(|keys| keys.iter_mut().skip(sample).step_by(samples))
        {
            if too_large.contains(key) {
                *key = 0;
            }
        }
    }
    let sorted = |keys: &[u64], sample: usize| {
        let rows = keys.iter().skip(sample).step_by(samples.max(1)).enumerate();
        let mut sorted: Vec<(u64, u32)> = rows
            .filter(|(_, key)| **key != 0)
            .map(|(row, key)| (*key, row as u32))
            .collect();
        sorted.sort_unstable();
        sorted
    };
    let found = threads::each(
        threads,
        samples,
        || (),
        |(), sample| {
            let (lefts, rights) = (sorted(&of_left, sample), sorted(&of_right, sample));
            let mut found = Vec::new();
            for group in between(&lefts, &rights) {
                for (_, a) in &lefts[group.left.clone()] {
                    let keys = &of_left[*a as usize * samples..][..samples];
                    for (_, b) in &rights[group.right.clone()] {
                        if made_before(keys, &of_right[*b as usize * samples..][..samples], sample) {
                            continue;
                        }
                        let dice = left.dice(*a as usize, right, *b as usize);
                        if dice >= settings.threshold {
                            found.push(Alike {
                                left: *a,
                                right: *b,
                                dice: dice as f32,
                            });
                        }
                    }
                }
            }
            Ok(found)
        },
    )?;
    let mut found: Vec<Alike> = found.into_iter().flatten().collect();
    found.sort_unstable_by_key(|alike| (alike.left, alike.right));
    Ok(found)
}
