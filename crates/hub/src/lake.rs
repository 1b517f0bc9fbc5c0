//! The lake: one Delta table a dataset, over any object store. A version is seen whole or not at all.

use std::collections::BTreeMap;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use jiff::Timestamp;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::dataset::Dataset;
use crate::error::HubError;
use crate::ingest::LOADS;
use crate::log::{self, Action, Add, CommitInfo, Format, MetaData, Protocol, Remove, State, Txn};
use crate::stats::Stats;
use crate::storage::Storage;
use crate::versions::{self, Versions};

const DAY_MILLIS: i64 = 86_400_000;

/// Where the tables of all datasets are: `<root>/<dataset>/`.
#[derive(Clone, Debug)]
pub struct Lake {
    store: Arc<dyn ObjectStore>,
    root: Path,
    /// The folder of a lake on this machine.
    local: Option<PathBuf>,
}

/// Which version of a dataset is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// The latest.
    #[default]
    Latest,
    /// This one; the empty table is version 0.
    Version(u64),
    /// The one that was the latest at this time.
    Time(Timestamp),
}

impl Lake {
    /// A lake in a folder, which is made where there is none.
    ///
    /// # Errors
    /// [`HubError::File`].
    pub fn local(folder: &FsPath) -> Result<Lake, HubError> {
        std::fs::create_dir_all(folder).map_err(HubError::file(folder))?;
        let whole = folder.canonicalize().map_err(HubError::file(folder))?;
        let store = LocalFileSystem::new_with_prefix(&whole)
            .map_err(|error| HubError::file(folder)(std::io::Error::other(error)))?;
        Ok(Lake {
            local: Some(whole),
            ..Lake::new(Arc::new(store), Path::ROOT)
        })
    }

    /// A lake in a folder of an object store. The store must be able to put a file only where there is none.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, root: Path) -> Lake {
        Lake {
            store,
            root,
            local: None,
        }
    }

    pub(crate) fn storage(&self, id: &str) -> Storage {
        Storage {
            id: id.to_owned(),
            store: Arc::clone(&self.store),
            home: self.root.clone().join(id),
            local: self.local.as_ref().map(|folder| folder.join(id)),
        }
    }

    /// The table of a dataset, if anything was ever published.
    pub(crate) async fn open(&self, id: &str, at: At) -> Result<Option<Table>, HubError> {
        let storage = self.storage(id);
        let Some(versions) = Versions::of(&storage).await? else {
            return match at {
                At::Latest => Ok(None),
                At::Version(_) | At::Time(_) => Err(HubError::NoVersion(id.to_owned())),
            };
        };
        let version = match at {
            At::Latest => Some(versions.latest()),
            At::Version(version) => versions.holds(version).then_some(version),
            At::Time(time) => versions.at(time.as_millisecond()).await?,
        };
        let version = version.ok_or_else(|| HubError::NoVersion(id.to_owned()))?;
        let state = versions.state(version).await?;
        Ok(Some(Table {
            storage,
            version,
            state,
        }))
    }

    /// The table of a dataset, made empty where there is none.
    pub(crate) async fn create(&self, dataset: &Dataset, now: Timestamp) -> Result<Table, HubError> {
        if let Some(table) = self.open(&dataset.id, At::Latest).await? {
            return Ok(table);
        }
        let storage = self.storage(&dataset.id);
        // the first load has its own time, which must be later
        let time = now.as_millisecond() - 1;
        let kept = format!("interval {} days", dataset.retention.history_days);
        let schema_string = log::write_schema(&dataset.schema()).map_err(|error| storage.fail(error))?;
        let metadata = MetaData {
            id: name_of(&dataset.id, time),
            name: Some(dataset.id.clone()),
            format: Format {
                provider: "parquet".to_owned(),
                options: BTreeMap::new(),
            },
            schema_string,
            partition_columns: Vec::new(),
            created_time: Some(time),
            configuration: BTreeMap::from([
                ("delta.enableInCommitTimestamps".to_owned(), "true".to_owned()),
                ("delta.logRetentionDuration".to_owned(), kept.clone()),
                ("delta.deletedFileRetentionDuration".to_owned(), kept),
            ]),
        };
        let actions = [
            provenance(time, "CREATE TABLE", None),
            Action {
                protocol: Some(Protocol::ours()),
                ..Action::default()
            },
            Action {
                meta_data: Some(metadata),
                ..Action::default()
            },
        ];
        // another process may make it meanwhile
        versions::publish(&storage, 0, &actions).await?;
        let made = self.open(&dataset.id, At::Latest).await?;
        made.ok_or_else(|| storage.fail("the table that was made just now is gone; run the load again"))
    }
}

/// The unique name of a table: a UUID of version 8 (RFC 9562 section 5.8), by the dataset and the time it was made at.
fn name_of(id: &str, time: i64) -> String {
    let digest = Sha256::new()
        .chain_update(id)
        .chain_update(time.to_le_bytes())
        .finalize();
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

fn provenance(time: i64, operation: &str, mode: Option<&str>) -> Action {
    let mode = mode.map(|mode| ("mode".to_owned(), mode.into()));
    Action {
        commit_info: Some(CommitInfo {
            in_commit_timestamp: Some(time),
            timestamp: Some(time),
            operation: Some(operation.to_owned()),
            operation_parameters: mode.into_iter().collect(),
            engine_info: Some(concat!("tongban/", env!("CARGO_PKG_VERSION")).to_owned()),
        }),
        ..Action::default()
    }
}

/// A version of a dataset's table.
pub(crate) struct Table {
    storage: Storage,
    version: u64,
    state: State,
}

/// A file of a version.
#[derive(Clone, Debug)]
pub(crate) struct DataFile {
    pub path: String,
    pub rows: u64,
    bytes: i64,
}

/// A file that a commit adds; it is in the store already.
pub(crate) struct Added {
    pub path: String,
    pub bytes: u64,
    pub stats: Stats,
}

/// What a commit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Other rows take the place of all there were.
    Replace,
    /// Rows come, change and go.
    Update,
    /// The same rows in other files.
    Rearrange,
}

impl Table {
    fn fail(&self, error: impl std::fmt::Display) -> HubError {
        self.storage.fail(error)
    }

    /// Number of the version.
    pub fn version(&self) -> u64 {
        self.version
    }

    fn metadata(&self) -> Result<&MetaData, HubError> {
        let metadata = self.state.metadata.as_ref();
        metadata.ok_or_else(|| self.fail("its log does not say what columns it has"))
    }

    /// The schema of the version.
    pub fn schema(&self) -> Result<SchemaRef, HubError> {
        let schema = log::read_schema(&self.metadata()?.schema_string);
        schema.map(Arc::new).map_err(|error| self.fail(error))
    }

    /// Number that an application noted with its last commit, if it noted any.
    pub fn noted(&self, application: &str) -> Option<i64> {
        self.state.transactions.get(application).map(|txn| txn.version)
    }

    /// When its rows were brought in; putting files together does not make them younger.
    pub fn loaded(&self) -> Timestamp {
        let loaded = self.state.transactions.get(LOADS).and_then(|txn| txn.last_updated);
        Timestamp::from_millisecond(loaded.unwrap_or(self.state.time)).unwrap_or_default()
    }

    /// Its files, in the order of their names, which is the order they were loaded in.
    pub fn files(&self) -> Result<Vec<DataFile>, HubError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Counted {
            num_records: u64,
        }
        let files = self.state.files.values().map(|add| {
            let counted: Counted = serde_json::from_str(add.stats.as_deref().unwrap_or_default())
                .map_err(|error| self.fail(format!("the statistics of `{}`: {error}", add.path)))?;
            Ok(DataFile {
                path: add.path.clone(),
                rows: counted.num_records,
                bytes: add.size,
            })
        });
        files.collect()
    }

    /// The bytes of a file.
    pub async fn read(&self, path: &str) -> Result<Bytes, HubError> {
        self.storage.read(path).await
    }

    /// Puts a file of this machine into the store.
    pub async fn put(&self, path: &str, from: &FsPath) -> Result<(), HubError> {
        let bytes = tokio::fs::read(from).await.map_err(HubError::file(from))?;
        self.storage.put(path, bytes.into()).await
    }

    /// Paths below a folder of the table with the time each was written at.
    pub async fn list(&self, folder: &str) -> Result<Vec<(String, Timestamp)>, HubError> {
        self.storage.list(folder).await
    }

    /// Removes a file that no version names.
    pub async fn delete(&self, path: &str) -> Result<(), HubError> {
        self.storage.delete(path).await.map(drop)
    }

    /// Publishes a version, if it is still the next one.
    ///
    /// # Errors
    /// [`HubError::Overtaken`] when another version was published since this one was read.
    pub async fn commit(
        &self,
        change: Change,
        added: &[Added],
        removed: &[DataFile],
        noted: &[(String, i64)],
        schema: Option<&Schema>,
        now: Timestamp,
    ) -> Result<u64, HubError> {
        // later than the version before, whatever the clocks of two machines say
        let time = now.as_millisecond().max(self.state.time.saturating_add(1));
        let data_change = change != Change::Rearrange;
        let mut actions = vec![match change {
            Change::Replace => provenance(time, "WRITE", Some("Overwrite")),
            Change::Update => provenance(time, "WRITE", Some("Append")),
            Change::Rearrange => provenance(time, "OPTIMIZE", None),
        }];
        if let Some(schema) = schema {
            let metadata = MetaData {
                schema_string: log::write_schema(schema).map_err(|error| self.fail(error))?,
                ..self.metadata()?.clone()
            };
            actions.push(Action {
                meta_data: Some(metadata),
                ..Action::default()
            });
        }
        actions.extend(noted.iter().map(|(application, number)| Action {
            txn: Some(Txn {
                app_id: application.clone(),
                version: *number,
                last_updated: Some(time),
            }),
            ..Action::default()
        }));
        actions.extend(removed.iter().map(|file| Action {
            remove: Some(Remove {
                path: file.path.clone(),
                deletion_timestamp: Some(time),
                data_change,
                extended_file_metadata: true,
                partition_values: BTreeMap::new(),
                size: Some(file.bytes),
            }),
            ..Action::default()
        }));
        actions.extend(added.iter().map(|file| Action {
            add: Some(Add {
                path: file.path.clone(),
                partition_values: BTreeMap::new(),
                size: i64::try_from(file.bytes).unwrap_or(i64::MAX),
                modification_time: time,
                data_change,
                stats: Some(file.stats.json()),
            }),
            ..Action::default()
        }));
        let version = self.version + 1;
        // what was decided on one version is never published on another
        if versions::publish(&self.storage, version, &actions).await? {
            Ok(version)
        } else {
            Err(HubError::Overtaken(self.storage.id.clone()))
        }
    }

    /// Deletes files that no version within the time of history names, and log entries of versions older than that.
    /// Answers how many files and log entries went.
    pub async fn vacuum(&self, days: u32, now: Timestamp) -> Result<(usize, usize), HubError> {
        let before = now.as_millisecond() - i64::from(days) * DAY_MILLIS;
        let Some(versions) = Versions::of(&self.storage).await? else {
            return Ok((0, 0));
        };
        let latest = versions.latest();
        let state = versions.state(latest).await?;
        versions.checkpoint(latest, &state, before).await?;
        let mut files = 0;
        for (name, at) in self.storage.list("").await? {
            let removed = state.removed.get(&name);
            let named = state.files.contains_key(&name)
                || removed.is_some_and(|remove| remove.deletion_timestamp > Some(before));
            // one that no version names may be of a load that runs
            let young = at.as_millisecond() >= before;
            if !named && !young && !name.contains('/') && name.ends_with(".parquet") {
                files += usize::from(self.storage.delete(&name).await?);
            }
        }
        // what was the latest when history begins can still be asked for; it needs a checkpoint to stand on, since the
        // entries before it go
        let entries = match versions.at(before).await? {
            Some(oldest) => {
                let state = versions.state(oldest).await?;
                versions.checkpoint(oldest, &state, before).await?;
                versions.forget(oldest).await?
            }
            None => 0,
        };
        Ok((files, entries))
    }
}

/// The columns of a batch as a schema has them; what it does not hold is empty.
pub(crate) fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, arrow::error::ArrowError> {
    if batch.schema_ref() == schema {
        return Ok(batch.clone());
    }
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
            Some(column) => cast(column, field.data_type()),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        });
    let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
}
