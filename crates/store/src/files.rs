//! Files: sealed under a data key, kept in an object store.
//!
//! A file is written under a temporary name, flushed to the disk and then renamed, so that it is there whole or not at all
//! when its name is committed to the database. A file whose name was never committed is of no use to anybody: its key
//! opens it only where a row names it, and it goes with the key.

use std::path::{Path, PathBuf};

use civic::ids::{FileId, KeyId};
use object_store::ObjectStoreExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::access::Grant;
use crate::seal::Place;
use crate::{Store, StoreError};

/// Largest file, in bytes.
const LARGEST: u64 = 50 << 20;
/// Bytes of the key's name before the sealed content.
const HEAD: usize = 16;

/// The folder of the sealed files.
pub struct Files {
    store: LocalFileSystem,
    root: PathBuf,
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Files(error.to_string())
}

impl Files {
    pub(crate) fn open(root: &Path) -> Result<Files, StoreError> {
        std::fs::create_dir_all(root).map_err(|error| StoreError::Files(format!("{}: {error}", root.display())))?;
        Ok(Files {
            store: LocalFileSystem::new_with_prefix(root).map_err(failed)?,
            root: root.to_owned(),
        })
    }

    /// A folder of its own beside the sealed files, for data that is kept encrypted in another format; made when it is missing.
    ///
    /// # Errors
    /// [`StoreError::Files`].
    pub fn folder(&self, name: &str) -> Result<PathBuf, StoreError> {
        let folder = self.root.join(name);
        std::fs::create_dir_all(&folder).map_err(|error| failed(format!("{}: {error}", folder.display())))?;
        Ok(folder)
    }

    /// Two letters of folder, so that none grows too large.
    fn path(id: Uuid) -> ObjectPath {
        let name = id.simple().to_string();
        ObjectPath::from(format!("{}/{name}", &name[name.len() - 2..]))
    }

    /// Seals and writes a file; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::FileTooLarge`]; [`StoreError::Files`]; the seal's.
    pub async fn put(&self, store: &Store, key: KeyId, plain: &[u8]) -> Result<FileId, StoreError> {
        let size = plain.len() as u64;
        if size > LARGEST {
            return Err(StoreError::FileTooLarge { size, limit: LARGEST });
        }
        let id = Uuid::new_v4();
        let sealed = store
            .seal()
            .seal(store.read(), key, Place::new("file", "content", &id), plain)
            .await?;
        let mut bytes = Vec::with_capacity(HEAD + sealed.len());
        bytes.extend_from_slice(key.uuid().as_bytes());
        bytes.extend_from_slice(&sealed);
        let path = Files::path(id);
        self.store.put(&path, bytes.into()).await.map_err(failed)?;
        let on_disk = self.root.join(path.as_ref());
        tokio::task::spawn_blocking(move || flush(&on_disk))
            .await
            .map_err(failed)?
            .map_err(failed)?;
        Ok(FileId::from_uuid(id))
    }

    async fn read(&self, id: FileId) -> Result<(KeyId, Vec<u8>), StoreError> {
        let found = self
            .store
            .get(&Files::path(id.uuid()))
            .await
            .map_err(|error| match error {
                object_store::Error::NotFound { .. } => StoreError::NoFile(id.uuid()),
                other => failed(other),
            })?;
        let bytes = found.bytes().await.map_err(failed)?;
        let (head, sealed) = bytes.split_at_checked(HEAD).ok_or(StoreError::Unsealable {
            table: "file",
            column: "content",
        })?;
        let key = Uuid::from_slice(head).map_err(failed)?;
        Ok((KeyId::from_uuid(key), sealed.to_vec()))
    }

    /// Opens a file of the case or person the grant is for.
    ///
    /// # Errors
    /// [`StoreError::NoFile`]; [`StoreError::NotGranted`]; the seal's.
    pub async fn get(&self, store: &Store, grant: &Grant, id: FileId) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let (key, sealed) = self.read(id).await?;
        store
            .seal()
            .open(
                store.read(),
                grant,
                key,
                Place::new("file", "content", &id.uuid()),
                &sealed,
            )
            .await
    }

    /// Opens a file of the platform itself, such as a payment order.
    ///
    /// # Errors
    /// As [`Files::get`]; [`StoreError::NotGranted`] for a file of a case or person.
    pub async fn get_own(&self, store: &Store, id: FileId) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let (key, sealed) = self.read(id).await?;
        store
            .seal()
            .open_own(store.read(), key, Place::new("file", "content", &id.uuid()), &sealed)
            .await
    }

    /// Deletes a file; one that is gone already is no error.
    ///
    /// # Errors
    /// [`StoreError::Files`].
    pub async fn delete(&self, id: FileId) -> Result<(), StoreError> {
        match self.store.delete(&Files::path(id.uuid())).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

/// Flushes a file and the folder that names it.
fn flush(path: &Path) -> std::io::Result<()> {
    std::fs::File::open(path)?.sync_all()?;
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}
