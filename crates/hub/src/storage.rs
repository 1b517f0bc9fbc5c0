//! The files of one table in an object store.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt as _;
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt as _, PutMode};
use sha2::{Digest as _, Sha256};

use crate::error::HubError;

/// Where the files of a table are. Names are relative to its folder.
#[derive(Clone)]
pub(crate) struct Storage {
    pub id: String,
    pub store: Arc<dyn ObjectStore>,
    /// The table's folder in the store.
    pub home: Path,
    /// The same folder, where the store is a disk of this machine.
    pub local: Option<PathBuf>,
}

impl Storage {
    pub fn fail(&self, error: impl std::fmt::Display) -> HubError {
        HubError::lake(&self.id, error)
    }

    fn path(&self, name: &str) -> Result<Path, HubError> {
        Path::parse(format!("{}/{name}", self.home)).map_err(|error| self.fail(error))
    }

    /// The bytes of a file.
    pub async fn read(&self, name: &str) -> Result<Bytes, HubError> {
        let path = self.path(name)?;
        let got = self.store.get(&path).await.map_err(|error| self.fail(error))?;
        got.bytes().await.map_err(|error| self.fail(error))
    }

    /// Puts a file into the store, in the place of another of its name. It is on the disk when this has ended.
    pub async fn put(&self, name: &str, bytes: Bytes) -> Result<(), HubError> {
        let path = self.path(name)?;
        let put = self.store.put(&path, bytes.into()).await;
        put.map_err(|error| self.fail(error))?;
        self.sync(name).await
    }

    /// Puts a file into the store unless there is another of its name; says whether it is there now.
    pub async fn create(&self, name: &str, bytes: Bytes) -> Result<bool, HubError> {
        let path = self.path(name)?;
        let done = if self.local.is_some() {
            // the store of this machine leaves writing to the system, so a power cut could leave half a file under the
            // name; it gets the name when it is whole on the disk
            let digest: String = hex::encode(Sha256::digest(&bytes)).chars().take(16).collect();
            let staged = format!("{name}.{digest}.tmp");
            self.put(&staged, bytes.clone()).await?;
            let done = self.store.rename_if_not_exists(&self.path(&staged)?, &path).await;
            if done.is_err() {
                let _ = self.delete(&staged).await;
            }
            done
        } else {
            let put = self.store.put_opts(&path, bytes.clone().into(), PutMode::Create.into());
            put.await.map(drop)
        };
        match done {
            Ok(()) => {
                self.sync(name).await?;
                Ok(true)
            }
            // a store that lost its answer and was asked again finds what it wrote itself
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {
                Ok(self.read(name).await? == bytes)
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Names below a folder with the time each file was written at; an empty name is the table's own folder.
    pub async fn list(&self, folder: &str) -> Result<Vec<(String, Timestamp)>, HubError> {
        let (prefix, home): (Path, &str) = (self.path(folder)?, self.home.as_ref());
        let found: Vec<_> = self
            .store
            .list(Some(&prefix))
            .try_collect()
            .await
            .map_err(|error| self.fail(error))?;
        Ok(found
            .into_iter()
            .filter_map(|meta| {
                let whole: &str = meta.location.as_ref();
                let name = whole.strip_prefix(home)?.strip_prefix('/')?;
                let at = Timestamp::from_millisecond(meta.last_modified.timestamp_millis()).unwrap_or_default();
                Some((name.to_owned(), at))
            })
            .collect())
    }

    /// Removes a file; says whether there was one.
    pub async fn delete(&self, name: &str) -> Result<bool, HubError> {
        match self.store.delete(&self.path(name)?).await {
            Ok(()) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Has the system write a file of this machine, and its name, to the disk.
    async fn sync(&self, name: &str) -> Result<(), HubError> {
        let Some(folder) = &self.local else {
            return Ok(());
        };
        let file = folder.join(name);
        written(&file).await?;
        match file.parent() {
            Some(parent) if cfg!(unix) => written(parent).await,
            _ => Ok(()),
        }
    }
}

async fn written(path: &FsPath) -> Result<(), HubError> {
    let file = tokio::fs::File::open(path).await.map_err(HubError::file(path))?;
    file.sync_all().await.map_err(HubError::file(path))
}
