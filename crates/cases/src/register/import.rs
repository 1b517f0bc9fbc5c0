//! Taking in a register: checked row by row, written encrypted, put in the place of the one before.

use crate::boxed;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use civic::NationalId;
use jiff::civil::Date;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::file::properties::WriterProperties;
use services::Service;
use store::outbox;
use store::seal::{Owner, Place};
use store::tables::register as table;
use uuid::Uuid;

use super::read::rows_of;
use super::{FOLDER, RESIDENTS};
use crate::pay::departed;
use crate::{CaseError, Desk};

/// Rows of a part of the file; a sweep works on one part at a time on each core.
const PART: usize = 1 << 16;
/// Most mistakes told at once.
const TOLD: usize = 20;

/// What became of a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It is in force.
    Taken {
        /// Persons.
        persons: i64,
        /// Families.
        households: i64,
        /// Cases whose payments are held because their person is not in it any more.
        held: usize,
    },
    /// It has mistakes, and the register before stays in force: row from 1 and what is wrong, at most twenty.
    Refused(Vec<(usize, &'static str)>),
    /// More of those who are paid are missing than can have died or moved away, so that it is probably not the whole register; the
    /// one before stays in force.
    Thin {
        /// Cases that are paid, of persons who stood in the register before.
        paid: usize,
        /// Those of them whose person is missing now.
        missing: usize,
    },
}

/// Missing persons that are believed whatever their share is.
const FEW: usize = 20;
/// One in so many of those who are paid may be missing; more is not believed.
const SHARE: usize = 20;

/// Takes in a Parquet file as the register of residents of a day. Either all of it is taken or nothing. Whoever is paid and stood in
/// the register before, but not in this one, has their payments held ([`departed`]). `thin`: a register that lacks more of them than
/// can be believed is taken in all the same.
///
/// # Errors
/// [`CaseError::Rules`] when the file can't be read or lacks a column; [`CaseError::Outside`] when the disk refuses; the store's.
#[boxed]
pub async fn import(desk: &Desk, file: &Path, as_of: Date, thin: bool) -> Result<Imported, CaseError> {
    let folder = desk.store.files().folder(FOLDER)?;
    let id = Uuid::new_v4();
    let name = format!("{}.parquet", id.simple());
    let (from, to) = (file.to_owned(), folder.join(&name));
    let key = store::seal::secret()?;
    let written = {
        let (to, key) = (to.clone(), key.clone());
        tokio::task::spawn_blocking(move || copy(&from, &to, &key))
            .await
            .map_err(|error| disk(&error))?
    };
    let found = match written {
        Ok(Ok(found)) => found,
        other => {
            let _ = std::fs::remove_file(&to);
            return other.map(|mistakes| Imported::Refused(mistakes.err().unwrap_or_default()));
        }
    };
    let (persons, households) = (count(found.persons.len()), count(found.households));
    let gone = match gone(desk, found.persons).await {
        Ok(gone) if thin || gone.cases.len() <= FEW || gone.cases.len() * SHARE <= gone.paid => gone.cases,
        other => {
            let _ = std::fs::remove_file(&to);
            return other.map(|gone| Imported::Thin {
                paid: gone.paid,
                missing: gone.cases.len(),
            });
        }
    };
    let held = gone.len();
    let tasks = departed::tasks(&gone, id);
    let row = table::Model {
        id,
        name: RESIDENTS.to_owned(),
        as_of: as_of.to_string(),
        persons,
        households,
        file: name.clone(),
        key_id: Uuid::nil(),
        secret: Vec::new(),
        made_at: desk.now().as_microsecond(),
    };
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let mut row = row;
                let sealing = seal.new_key(tx, Owner::Register(row.id)).await?;
                row.key_id = sealing.uuid();
                row.secret = seal
                    .seal(tx, sealing, Place::new("register", "secret", &row.id), &key)
                    .await?;
                if let Some(old) = table::put(tx, row).await? {
                    seal.destroy(tx, old.key_id.into(), "another register took its place")
                        .await?;
                }
                for task in tasks {
                    outbox::put(tx, task).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    tidy(&folder, &name);
    Ok(Imported::Taken {
        persons,
        households,
        held,
    })
}

/// Who left the register.
#[derive(Default)]
struct Gone {
    /// Cases that are paid, of persons who stood in the register before.
    paid: usize,
    /// Those whose person is missing now.
    cases: HashSet<Uuid>,
}

/// The cases of those who are paid, stood in the register in force and do not stand in the new one, whose persons are `present`.
async fn gone(desk: &Desk, present: HashSet<String>) -> Result<Gone, CaseError> {
    let paid = departed::paid(desk, desk.store.read()).await?;
    if paid.is_empty() || super::summary(desk).await?.is_none() {
        return Ok(Gone::default());
    }
    let services: Vec<Arc<Service>> = desk.catalogue.all().map(Arc::clone).collect();
    let named: Vec<&Service> = services.iter().map(Arc::as_ref).collect();
    let opened = super::open_to_compare(desk, &named).await?;
    let seal = desk.store.seal().clone();
    let compared = tokio::task::spawn_blocking(move || {
        let mut cases: HashMap<Vec<u8>, Vec<Uuid>> = HashMap::new();
        for (case, subject) in paid {
            cases.entry(subject).or_default().push(case);
        }
        let stood = rows_of(&opened.file, |id| {
            let found = cases.get(seal.lookup("national_id", id).as_slice())?;
            Some((found, present.contains(id)))
        })?;
        let mut gone = Gone::default();
        for (_, (found, is_there)) in stood {
            gone.paid += found.len();
            if !is_there {
                gone.cases.extend(found);
            }
        }
        Ok::<_, CaseError>(gone)
    });
    compared.await.map_err(|error| disk(&error))?
}

/// Removes the files of earlier registers, whose keys are gone.
fn tidy(folder: &Path, keep: &str) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let old = entries.map(|entry| entry.path()).filter(|path: &PathBuf| {
        path.extension().is_some_and(|end| end == "parquet") && path.file_name().is_none_or(|name| name != keep)
    });
    for path in old {
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::warn!(%error, "an old register could not be removed; its key is destroyed");
        }
    }
}

fn disk(error: &dyn std::fmt::Display) -> CaseError {
    CaseError::Outside {
        party: "disk",
        problem: error.to_string(),
    }
}

fn unreadable(error: impl std::fmt::Display) -> CaseError {
    CaseError::Rules(rules::RuleError::Population(error.to_string()))
}

/// What a file held.
struct Found {
    /// National ids.
    persons: HashSet<String>,
    /// How many families.
    households: usize,
}

type Counted = Result<Found, Vec<(usize, &'static str)>>;

/// Copies the rows into an encrypted file and checks each. Gives the numbers of persons and families, or what is wrong.
fn copy(from: &Path, to: &Path, key: &[u8]) -> Result<Counted, CaseError> {
    let file = File::open(from).map_err(unreadable)?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unreadable)?;
    for needed in ["household", "profile.national_id", "profile.name"] {
        if reader.schema().field_with_name(needed).is_err() {
            return Err(unreadable(format!("the column `{needed}` is missing")));
        }
    }
    let how = FileEncryptionProperties::builder(key.to_vec())
        .build()
        .map_err(unreadable)?;
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(PART))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(unreadable)?))
        .with_file_encryption_properties(how)
        .build();
    let out = File::create(to).map_err(|error| disk(&error))?;
    let durable = out.try_clone().map_err(|error| disk(&error))?;
    let mut writer = ArrowWriter::try_new(out, Arc::clone(reader.schema()), Some(properties)).map_err(unreadable)?;
    let mut checked = Checked::default();
    for batch in reader.with_batch_size(PART).build().map_err(unreadable)? {
        let batch = batch.map_err(unreadable)?;
        checked.batch(&batch)?;
        if checked.wrong.len() >= TOLD {
            break;
        }
        writer.write(&batch).map_err(|error| disk(&error))?;
    }
    writer.close().map_err(|error| disk(&error))?;
    durable.sync_all().map_err(|error| disk(&error))?;
    if checked.rows == 0 {
        checked.wrong.push((0, "it has no rows"));
    }
    Ok(if checked.wrong.is_empty() {
        Ok(Found {
            persons: checked.persons,
            households: checked.seen.len(),
        })
    } else {
        Err(checked.wrong)
    })
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

#[derive(Default)]
struct Checked {
    rows: usize,
    /// Households met, and the last of them.
    seen: HashSet<i64>,
    last: Option<i64>,
    persons: HashSet<String>,
    wrong: Vec<(usize, &'static str)>,
}

impl Checked {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), CaseError> {
        let column = |name: &str, kind: &DataType| {
            let column = batch
                .column_by_name(name)
                .ok_or_else(|| unreadable("a column is missing"))?;
            cast(column, kind).map_err(unreadable)
        };
        let households = column("household", &DataType::Int64)?;
        let ids = column("profile.national_id", &DataType::Utf8)?;
        let names = column("profile.name", &DataType::Utf8)?;
        let (households, ids, names) = (
            households.as_primitive::<Int64Type>(),
            ids.as_string::<i32>(),
            names.as_string::<i32>(),
        );
        for row in 0..batch.num_rows() {
            self.rows += 1;
            let problem = self.problem(
                (!households.is_null(row)).then(|| households.value(row)),
                (!ids.is_null(row)).then(|| ids.value(row)),
                (!names.is_null(row)).then(|| names.value(row)),
            );
            if let Some(problem) = problem {
                self.wrong.push((self.rows, problem));
                if self.wrong.len() >= TOLD {
                    break;
                }
            }
        }
        Ok(())
    }

    fn problem(&mut self, household: Option<i64>, id: Option<&str>, name: Option<&str>) -> Option<&'static str> {
        let Some(household) = household else {
            return Some("the household is empty");
        };
        if self.last != Some(household) {
            self.last = Some(household);
            if !self.seen.insert(household) {
                return Some("the persons of this household do not stand together");
            }
        }
        if name.is_none_or(|name| name.trim().is_empty()) {
            return Some("the name is empty");
        }
        match id.map(NationalId::parse) {
            Some(Ok(id)) if self.persons.insert(id.reveal().to_owned()) => None,
            Some(Ok(_)) => Some("this person stands in the register twice"),
            _ => Some("the national id is empty or its check digit does not fit"),
        }
    }
}
