//! Lookups (資料查調): the rows of one key, from the latest version of a dataset, with their provenance.
//!
//! Who may ask, for which case and purpose, and the record of it are the caller's. What is kept here between lookups is a
//! copy of a version on a disk of this machine, encrypted as the lake is; a lookup answers from it no longer than
//! `cache_seconds` of the dataset's folder without looking whether there is a later version.

mod copy;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use arrow::array::{Array as _, ArrayRef, AsArray as _, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::dataset::{Dataset, Lookup};
use crate::error::HubError;
use crate::file::Crypt;
use crate::ingest::{blocking, crypt};
use crate::keys::Hasher;
use crate::lake::{At, Lake};
use crate::values;
use copy::Copy;

/// Most rows of an answer.
pub const MOST_ROWS: usize = 100;

/// The datasets that may be asked.
pub struct Lookups {
    lake: Lake,
    home: PathBuf,
    offered: BTreeMap<String, Offered>,
}

/// A dataset that may be asked.
struct Offered {
    dataset: Arc<Dataset>,
    lookup: Lookup,
    crypt: Crypt,
    hasher: Hasher,
    held: RwLock<Option<Held>>,
    /// Held while a copy is made, so that each is made once.
    making: Mutex<()>,
}

#[derive(Clone)]
struct Held {
    copy: Arc<Copy>,
    /// When it was known to be of the latest version.
    looked: Timestamp,
}

/// What a dataset knows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Name of the dataset.
    pub dataset: String,
    /// The version that answered.
    pub version: u64,
    /// When its rows were brought in.
    pub loaded: Timestamp,
    /// Its rows of the key, in their order in the version; none where it knows nothing.
    pub rows: Vec<FoundRow>,
    /// Whether there are more than [`MOST_ROWS`].
    pub more: bool,
}

/// A row of an answer.
#[derive(Clone, PartialEq, Eq)]
pub struct FoundRow {
    /// Its place in the version, from 0: that of [`crate::each_batch`].
    pub place: u64,
    /// Values as texts, by the columns that were asked for; days as in `2026-11-28`, nothing where nothing is known.
    pub values: Vec<Option<String>>,
}

impl fmt::Debug for FoundRow {
    /// Without the values, which may be a person's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundRow")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Lookups {
    /// No dataset yet. `home` is a folder for copies, on a disk of this machine.
    #[must_use]
    pub fn new(lake: Lake, home: &Path) -> Lookups {
        Lookups {
            lake,
            home: home.to_path_buf(),
            offered: BTreeMap::new(),
        }
    }

    /// Offers a dataset, under the key of its lake.
    ///
    /// # Errors
    /// [`HubError::NotOffered`] where its folder has no `[lookup]`; [`HubError::KeyMissing`].
    pub fn offer(&mut self, dataset: Arc<Dataset>, key: Option<&[u8]>) -> Result<(), HubError> {
        let lookup = dataset.lookup.clone();
        let lookup = lookup.ok_or_else(|| HubError::NotOffered(dataset.id.clone()))?;
        let crypt = crypt(&dataset, key)?;
        let hasher = Hasher::new(crypt.key())?;
        let id = dataset.id.clone();
        let offered = Offered {
            dataset,
            lookup,
            crypt,
            hasher,
            held: RwLock::default(),
            making: Mutex::default(),
        };
        self.offered.insert(id, offered);
        Ok(())
    }

    /// Names of the datasets that may be asked.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.offered.keys().map(String::as_str)
    }

    /// The dataset of this name, if it may be asked.
    #[must_use]
    pub fn dataset(&self, id: &str) -> Option<&Arc<Dataset>> {
        self.offered.get(id).map(|offered| &offered.dataset)
    }

    fn offered(&self, id: &str) -> Result<&Offered, HubError> {
        self.offered.get(id).ok_or_else(|| HubError::NotOffered(id.to_owned()))
    }

    /// What a dataset knows of a key: values of the columns that its folder lets it be asked by, as the source or a person
    /// writes them; `columns` are some of those it may be asked for. At most [`MOST_ROWS`] rows.
    ///
    /// # Errors
    /// [`HubError::NotOffered`], [`HubError::NotAnswered`], [`HubError::LookupKey`], [`HubError::NothingPublished`]; the
    /// lake's when a copy has to be made.
    pub async fn find(&self, id: &str, key: &[&str], columns: &[&str], now: Timestamp) -> Result<Found, HubError> {
        let offered = self.offered(id)?;
        let wanted = offered.wanted(columns)?;
        let asked = offered.key(key)?;
        let hash = offered.hasher.rows(&asked, 1).into_iter().next().flatten();
        let hash = hash.ok_or_else(|| HubError::NotAnswered {
            id: id.to_owned(),
            column: String::new(),
        })?;
        let copy = match offered.held(now) {
            Some(copy) => copy,
            None => self.looked(offered, now).await?,
        };
        let by = offered.lookup.by.clone();
        let dataset = id.to_owned();
        blocking(move || {
            let read: Vec<usize> = wanted.iter().chain(&by).copied().collect();
            let mut found = Found {
                dataset,
                version: copy.version,
                loaded: copy.loaded,
                rows: Vec::new(),
                more: false,
            };
            let Some(rows) = copy.rows(copy::half(&hash), &read, MOST_ROWS + 1)? else {
                return Ok(found);
            };
            let texts = rows.columns.iter().map(texts).collect::<Result<Vec<_>, _>>()?;
            let asked = asked.iter().map(texts_of).collect::<Result<Vec<_>, _>>()?;
            let (answers, keys) = texts.split_at_checked(wanted.len()).unwrap_or((&texts, &[]));
            for (row, place) in rows.places.iter().enumerate() {
                let value = |column: &StringArray| (!column.is_null(row)).then(|| column.value(row).to_owned());
                // half a hash may be that of another key
                if keys.iter().map(&value).eq(asked.iter().cloned()) {
                    found.rows.push(FoundRow {
                        place: *place,
                        values: answers.iter().map(&value).collect(),
                    });
                }
            }
            found.more = found.rows.len() > MOST_ROWS;
            found.rows.truncate(MOST_ROWS);
            Ok(found)
        })
        .await
    }

    /// Looks whether a later version was published, and makes its copy. Done before `cache_seconds` are over, no lookup has
    /// to wait for it.
    ///
    /// # Errors
    /// [`HubError::NotOffered`], [`HubError::NothingPublished`], and the lake's.
    pub async fn refresh(&self, id: &str, now: Timestamp) -> Result<(), HubError> {
        self.make(self.offered(id)?, now).await.map(drop)
    }

    /// The copy of the latest version, for a lookup that may not take the one that is held.
    async fn looked(&self, offered: &Offered, now: Timestamp) -> Result<Arc<Copy>, HubError> {
        let _one = offered.making.lock().await;
        // another lookup may have looked meanwhile
        match offered.held(now) {
            Some(copy) => Ok(copy),
            None => self.latest(offered, now).await,
        }
    }

    async fn make(&self, offered: &Offered, now: Timestamp) -> Result<Arc<Copy>, HubError> {
        let _one = offered.making.lock().await;
        self.latest(offered, now).await
    }

    async fn latest(&self, offered: &Offered, now: Timestamp) -> Result<Arc<Copy>, HubError> {
        let id = &offered.dataset.id;
        let table = self.lake.open(id, At::Latest).await?;
        let table = table.filter(|table| table.version() > 0);
        let table = table.ok_or_else(|| HubError::NothingPublished(id.clone()))?;
        let before = offered.kept().map(|held| held.copy);
        let copy = match before {
            Some(copy) if copy.version == table.version() => copy,
            before => {
                let home = self.home.join(id);
                let before = before.map(|copy| copy.version);
                let made = copy::open(&table, &offered.dataset, &offered.lookup, &offered.crypt, &home, before).await?;
                Arc::new(made)
            }
        };
        let held = Held {
            copy: Arc::clone(&copy),
            looked: now,
        };
        *offered.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
        Ok(copy)
    }
}

impl Offered {
    fn kept(&self) -> Option<Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The copy, if it may be used without looking.
    fn held(&self, now: Timestamp) -> Option<Arc<Copy>> {
        let most = SignedDuration::from_secs(i64::from(self.lookup.cache_seconds));
        let held = self.kept()?;
        (now.duration_since(held.looked) < most).then_some(held.copy)
    }

    /// Places of columns that may be answered.
    fn wanted(&self, columns: &[&str]) -> Result<Vec<usize>, HubError> {
        let place = |name: &&str| {
            let place = self
                .dataset
                .column(name)
                .filter(|place| self.lookup.columns.contains(place));
            place.ok_or_else(|| HubError::NotAnswered {
                id: self.dataset.id.clone(),
                column: (*name).to_owned(),
            })
        };
        columns.iter().map(place).collect()
    }

    /// The key as the table has it.
    fn key(&self, key: &[&str]) -> Result<Vec<ArrayRef>, HubError> {
        let fail = |column: &str, why: String| HubError::LookupKey {
            id: self.dataset.id.clone(),
            column: column.to_owned(),
            why,
        };
        if key.len() != self.lookup.by.len() {
            return Err(fail(
                "",
                format!("it has {} values, not {}", self.lookup.by.len(), key.len()),
            ));
        }
        let columns = self
            .lookup
            .by
            .iter()
            .filter_map(|place| self.dataset.columns.get(*place));
        let value = |(column, text): (&crate::dataset::Column, &&str)| {
            let cells = StringArray::from(vec![*text]);
            let (array, problems) = values::typed(column, &[&cells], 1);
            match problems.first() {
                Some((_, problem)) => Err(fail(&column.name, problem.to_string())),
                None if array.is_null(0) => Err(fail(&column.name, values::Problem::Empty.to_string())),
                None => Ok(array),
            }
        };
        columns.zip(key).map(value).collect()
    }
}

/// A column as texts.
fn texts(column: &ArrayRef) -> Result<StringArray, HubError> {
    let texts = cast(column, &DataType::Utf8).map_err(|error| HubError::source(error.to_string()))?;
    Ok(texts.as_string::<i32>().clone())
}

/// The first value of a column as a text.
fn texts_of(column: &ArrayRef) -> Result<Option<String>, HubError> {
    let texts = texts(column)?;
    Ok((!texts.is_empty() && !texts.is_null(0)).then(|| texts.value(0).to_owned()))
}
