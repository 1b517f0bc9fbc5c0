//! The lake: one Delta table a dataset, over any object store. A version is seen whole or not at all.

use std::collections::HashMap;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use deltalake_core::kernel::engine::arrow_conversion::{TryIntoArrow as _, TryIntoKernel as _};
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake_core::kernel::{Action, Add, MetadataExt as _, Remove, StructType, Transaction};
use deltalake_core::protocol::DeltaOperation;
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use futures::TryStreamExt as _;
use jiff::Timestamp;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use url::Url;

use crate::dataset::Dataset;
use crate::error::HubError;
use crate::stats::Stats;

/// Where the tables of all datasets are: `<root>/<dataset>/`.
#[derive(Clone, Debug)]
pub struct Lake {
    store: Arc<dyn ObjectStore>,
    root: Url,
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
        let root = Url::from_directory_path(&whole)
            .map_err(|()| HubError::file(folder)(std::io::Error::other("this is no folder a lake can be in")))?;
        Ok(Lake {
            local: Some(whole),
            ..Lake::new(Arc::new(LocalFileSystem::new()), root)
        })
    }

    /// A lake under a prefix of an object store whose own root is `/`.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, root: Url) -> Lake {
        Lake {
            store,
            root,
            local: None,
        }
    }

    fn table(&self, id: &str) -> Result<DeltaTable, HubError> {
        let url = self
            .root
            .join(&format!("{id}/"))
            .map_err(|error| HubError::lake(id, error))?;
        DeltaTableBuilder::from_url(url.clone())
            .and_then(|builder| builder.with_storage_backend(Arc::clone(&self.store), url).build())
            .map_err(|error| HubError::lake(id, error))
    }

    fn table_of(&self, id: &str, inner: DeltaTable) -> Table {
        Table {
            id: id.to_owned(),
            inner,
            local: self.local.as_ref().map(|folder| folder.join(id)),
        }
    }

    /// The table of a dataset, if anything was ever published.
    pub(crate) async fn open(&self, id: &str, at: At) -> Result<Option<Table>, HubError> {
        let mut table = self.table(id)?;
        let there = table
            .verify_deltatable_existence()
            .await
            .map_err(|error| HubError::lake(id, error))?;
        if !there {
            return match at {
                At::Latest => Ok(None),
                At::Version(_) | At::Time(_) => Err(HubError::NoVersion(id.to_owned())),
            };
        }
        let loaded = match at {
            At::Latest => table.load().await,
            At::Version(version) => table.load_version(version).await,
            At::Time(time) => {
                let time = chrono::DateTime::from_timestamp_millis(time.as_millisecond()).unwrap_or_default();
                table.load_with_datetime(time).await
            }
        };
        match loaded {
            Ok(()) => Ok(Some(self.table_of(id, table))),
            Err(_) if at != At::Latest => Err(HubError::NoVersion(id.to_owned())),
            Err(error) => Err(HubError::lake(id, error)),
        }
    }

    /// The table of a dataset, made empty where there is none.
    pub(crate) async fn create(&self, dataset: &Dataset) -> Result<Table, HubError> {
        if let Some(table) = self.open(&dataset.id, At::Latest).await? {
            return Ok(table);
        }
        let fail = |error: DeltaTableError| HubError::lake(&dataset.id, error);
        if let Some(folder) = self.local.as_ref().map(|folder| folder.join(&dataset.id)) {
            std::fs::create_dir_all(&folder).map_err(HubError::file(&folder))?;
        }
        let days = dataset.retention.history_days;
        let kernel = kernel(&dataset.schema(), &dataset.id)?;
        let kept = |name: &str| (name.to_owned(), Some(format!("interval {days} days")));
        let made = self
            .table(&dataset.id)?
            .create()
            .with_columns(kernel.fields().cloned())
            .with_configuration(HashMap::from([
                kept("delta.logRetentionDuration"),
                kept("delta.deletedFileRetentionDuration"),
            ]))
            .await;
        match made {
            Ok(table) => Ok(self.table_of(&dataset.id, table)),
            // another process made it meanwhile
            Err(error) => self.open(&dataset.id, At::Latest).await?.ok_or_else(|| fail(error)),
        }
    }
}

fn kernel(schema: &Schema, id: &str) -> Result<StructType, HubError> {
    schema.try_into_kernel().map_err(|error| HubError::lake(id, error))
}

/// A version of a dataset's table.
#[derive(Clone)]
pub(crate) struct Table {
    id: String,
    inner: DeltaTable,
    local: Option<PathBuf>,
}

/// A file of a version.
#[derive(Clone, Debug)]
pub(crate) struct DataFile {
    pub path: String,
    pub rows: u64,
    remove: Remove,
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
        HubError::lake(&self.id, error)
    }

    /// Number of the version.
    pub fn version(&self) -> u64 {
        self.inner.version().unwrap_or_default()
    }

    /// The schema of the version.
    pub fn schema(&self) -> Result<SchemaRef, HubError> {
        let state = self.inner.snapshot().map_err(|error| self.fail(error))?;
        let schema: Schema = state
            .schema()
            .as_ref()
            .try_into_arrow()
            .map_err(|error| self.fail(error))?;
        Ok(Arc::new(schema))
    }

    /// Number that an application noted with its last commit, if it noted any.
    pub async fn noted(&self, application: &str) -> Result<Option<i64>, HubError> {
        let state = self.inner.snapshot().map_err(|error| self.fail(error))?;
        state
            .transaction_version(self.inner.log_store().as_ref(), application)
            .await
            .map_err(|error| self.fail(error))
    }

    /// Its files, in the order of their names, which is the order they were loaded in.
    pub fn files(&self) -> Result<Vec<DataFile>, HubError> {
        let state = self.inner.snapshot().map_err(|error| self.fail(error))?;
        let mut files: Vec<DataFile> = state
            .log_data()
            .iter()
            .map(|view| DataFile {
                path: view.path().into_owned(),
                rows: u64::try_from(view.num_records().unwrap_or_default()).unwrap_or_default(),
                remove: view.remove_action(true),
            })
            .collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    fn store(&self) -> Arc<dyn ObjectStore> {
        self.inner.object_store()
    }

    /// The bytes of a file.
    pub async fn read(&self, path: &str) -> Result<Bytes, HubError> {
        let path = Path::parse(path).map_err(|error| self.fail(error))?;
        let got = self.store().get(&path).await.map_err(|error| self.fail(error))?;
        got.bytes().await.map_err(|error| self.fail(error))
    }

    /// Puts a file of this machine into the store.
    pub async fn put(&self, path: &str, from: &FsPath) -> Result<(), HubError> {
        let bytes = tokio::fs::read(from).await.map_err(HubError::file(from))?;
        let name = Path::parse(path).map_err(|error| self.fail(error))?;
        self.store()
            .put(&name, bytes.into())
            .await
            .map_err(|error| self.fail(error))?;
        // the store of this machine leaves writing to the system; the commit must not reach the disk before its files
        if let Some(folder) = &self.local {
            let file = folder.join(path);
            let synced = tokio::fs::File::open(&file).await.map_err(HubError::file(&file))?;
            synced.sync_all().await.map_err(HubError::file(&file))?;
        }
        Ok(())
    }

    /// Paths below a folder of the table with the time each was written at.
    pub async fn list(&self, folder: &str) -> Result<Vec<(String, Timestamp)>, HubError> {
        let prefix = Path::parse(folder).map_err(|error| self.fail(error))?;
        let found: Vec<_> = self
            .store()
            .list(Some(&prefix))
            .try_collect()
            .await
            .map_err(|error| self.fail(error))?;
        Ok(found
            .into_iter()
            .map(|meta| {
                let at = Timestamp::from_millisecond(meta.last_modified.timestamp_millis()).unwrap_or_default();
                (meta.location.to_string(), at)
            })
            .collect())
    }

    /// Removes a file that no version names.
    pub async fn delete(&self, path: &str) -> Result<(), HubError> {
        let path = Path::parse(path).map_err(|error| self.fail(error))?;
        self.store().delete(&path).await.map_err(|error| self.fail(error))
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
        let millis = now.as_millisecond();
        let data_change = change != Change::Rearrange;
        let state = self.inner.snapshot().map_err(|error| self.fail(error))?;
        let mut actions = Vec::with_capacity(added.len() + removed.len() + 1);
        if let Some(schema) = schema {
            let metadata = state.metadata().clone();
            let metadata = metadata
                .with_schema(&kernel(schema, &self.id)?)
                .map_err(|error| self.fail(error))?;
            actions.push(Action::Metadata(metadata));
        }
        actions.extend(removed.iter().map(|file| {
            Action::Remove(Remove {
                deletion_timestamp: Some(millis),
                data_change,
                ..file.remove.clone()
            })
        }));
        actions.extend(added.iter().map(|file| {
            Action::Add(Add {
                path: file.path.clone(),
                size: i64::try_from(file.bytes).unwrap_or(i64::MAX),
                modification_time: millis,
                data_change,
                stats: Some(file.stats.json()),
                ..Add::default()
            })
        }));
        let transactions = noted
            .iter()
            .map(|(application, number)| Transaction::new_with_last_update(application, *number, Some(millis)))
            .collect();
        // no retry: what was decided on one version must not be published on another
        let properties = CommitProperties::default()
            .with_max_retries(0)
            .with_cleanup_expired_logs(Some(false))
            .with_application_transactions(transactions);
        let operation = match change {
            Change::Replace => DeltaOperation::Write {
                mode: deltalake_core::protocol::SaveMode::Overwrite,
                partition_by: None,
                predicate: None,
            },
            Change::Update => DeltaOperation::Write {
                mode: deltalake_core::protocol::SaveMode::Append,
                partition_by: None,
                predicate: None,
            },
            Change::Rearrange => DeltaOperation::Optimize {
                predicate: None,
                target_size: 0,
            },
        };
        let done = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(state), self.inner.log_store(), operation)
            .await;
        match done {
            Ok(commit) => Ok(commit.version()),
            Err(
                DeltaTableError::VersionAlreadyExists(_)
                | DeltaTableError::Transaction {
                    source: TransactionError::MaxCommitAttempts(_) | TransactionError::CommitConflict(_),
                },
            ) => Err(HubError::Overtaken(self.id.clone())),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Deletes files that no version within the time of history names, and log entries of versions older than that.
    /// Answers how many files and log entries went.
    pub async fn vacuum(&self, days: u32, now: Timestamp) -> Result<(usize, usize), HubError> {
        let (_, metrics) = self
            .inner
            .clone()
            .vacuum()
            .with_retention_period(chrono::Duration::days(i64::from(days)))
            .with_mode(deltalake_core::operations::vacuum::VacuumMode::Full)
            .with_clock(Arc::new(Fixed(now.as_millisecond())))
            .await
            .map_err(|error| self.fail(error))?;
        let mut table = self.inner.clone();
        table.update_state().await.map_err(|error| self.fail(error))?;
        // entries are only deleted behind a checkpoint
        deltalake_core::checkpoints::create_checkpoint(&table, None)
            .await
            .map_err(|error| self.fail(error))?;
        let before = now.as_millisecond() - i64::from(days) * 86_400_000;
        let entries = deltalake_core::checkpoints::cleanup_expired_logs_for(
            table.version().unwrap_or_default(),
            table.log_store().as_ref(),
            before,
            None,
        )
        .await
        .map_err(|error| self.fail(error))?;
        Ok((metrics.files_deleted.len(), entries))
    }
}

/// The time of the caller.
#[derive(Debug)]
struct Fixed(i64);

impl deltalake_core::operations::vacuum::Clock for Fixed {
    fn current_timestamp_millis(&self) -> i64 {
        self.0
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
