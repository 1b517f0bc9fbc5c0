//! The city's datasets (資料彙集平臺) as its offices use them: files that arrive, lookups for a case, and the work of stewards.

pub mod arrive;
pub mod lookup;
pub mod steward;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use hub::{Column, Held};
use hub::{Dataset, HubError, Job, Lake, Lookups};
use jiff::Timestamp;
use zeroize::Zeroizing;

/// Largest key file, in bytes.
const LARGEST_KEY: usize = 200;

/// The datasets of a city and the lake they are in.
pub struct Datasets {
    lake: Lake,
    work: PathBuf,
    /// Those that can be used, by the names of their folders.
    held: BTreeMap<String, Holding>,
    lookups: Lookups,
}

/// A dataset with the key of its lake.
struct Holding {
    dataset: Arc<Dataset>,
    key: Option<Zeroizing<Vec<u8>>>,
}

/// Where the datasets of a city are.
#[derive(Clone, Debug)]
pub struct Places {
    /// Folder of the dataset folders.
    pub folders: PathBuf,
    /// Folder of the lake.
    pub lake: PathBuf,
    /// Folder for what is worked with, on a disk of this machine. Files that arrive lie in `inbox/<dataset>` in it.
    pub work: PathBuf,
    /// Folder of the keys: `<dataset>.key`, 32 or 64 hexadecimal digits.
    pub keys: PathBuf,
}

/// A dataset that can't be used, and why.
#[derive(Debug)]
pub struct Unusable {
    /// Name of its folder.
    pub id: String,
    /// Why.
    pub why: HubError,
}

impl Datasets {
    /// Reads the folders and their keys. A dataset that can't be used is left out and told.
    ///
    /// # Errors
    /// [`HubError::File`] when the lake can't be opened.
    pub fn open(places: &Places) -> Result<(Datasets, Vec<Unusable>), HubError> {
        let lake = Lake::local(&places.lake)?;
        let mut datasets = Datasets {
            lookups: Lookups::new(lake.clone(), &places.work.join("lookups")),
            lake,
            work: places.work.clone(),
            held: BTreeMap::new(),
        };
        let mut unusable = Vec::new();
        for folder in Dataset::folders(&places.folders) {
            let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Err(why) = datasets.take(&folder, &places.keys.join(format!("{id}.key"))) {
                unusable.push(Unusable { id, why });
            }
        }
        Ok((datasets, unusable))
    }

    fn take(&mut self, folder: &Path, key: &Path) -> Result<(), HubError> {
        let dataset = Arc::new(Dataset::load(folder)?);
        let key = if dataset.is_personal() {
            Some(key_of(&dataset.id, key)?)
        } else {
            None
        };
        if dataset.lookup.is_some() {
            let key = key.as_ref().map(|key| key.as_slice());
            self.lookups.offer(Arc::clone(&dataset), key)?;
        }
        self.held.insert(dataset.id.clone(), Holding { dataset, key });
        Ok(())
    }

    /// The dataset of this name.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<Dataset>> {
        self.held.get(id).map(|holding| &holding.dataset)
    }

    fn job(&self, holding: &Holding, now: Timestamp) -> Job {
        Job::new(
            &self.work.join("staging"),
            holding.key.as_ref().map(|key| key.as_slice()),
            now,
        )
    }

    /// Looks for later versions of everything that is asked, so that no lookup has to wait for one. Answers what could not be
    /// looked for; a dataset of which nothing was published yet is none of it.
    pub async fn refresh(&self, now: Timestamp) -> Vec<Unusable> {
        let mut unusable = Vec::new();
        for id in self.lookups.names() {
            match self.lookups.refresh(id, now).await {
                Ok(()) | Err(HubError::NothingPublished(_)) => {}
                Err(why) => unusable.push(Unusable { id: id.to_owned(), why }),
            }
        }
        unusable
    }
}

fn key_of(id: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, HubError> {
    let text = std::fs::read(path).map_err(|error| HubError::File {
        path: path.to_path_buf(),
        error,
    })?;
    let text = Zeroizing::new(text);
    let key = (text.len() <= LARGEST_KEY)
        .then(|| hex::decode(text.trim_ascii()).ok())
        .flatten();
    key.map(Zeroizing::new)
        .ok_or_else(|| HubError::KeyMissing(id.to_owned()))
}
