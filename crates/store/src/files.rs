//! Files: sealed under a data key, kept in an object store.
//!
//! A file is written under a temporary name, flushed to the disk and then renamed, so that it is there whole or not at all
//! when its name is committed to the database. A file whose name was never committed is of no use to anybody: its key
//! opens it only where a row names it, and it goes with the key.

use std::path::{Path, PathBuf};

use civic::ids::{FileId, KeyId};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{MultipartUpload, ObjectStoreExt as _};
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

    /// Begins a file that is written piece by piece and never stands in memory as a whole.
    ///
    /// # Errors
    /// [`StoreError::Files`].
    pub async fn begin(&self, key: KeyId) -> Result<Growing, StoreError> {
        let id = Uuid::new_v4();
        let path = Files::long(id);
        let mut upload = self.store.put_multipart(&path).await.map_err(failed)?;
        let head = Vec::from(key.uuid().as_bytes().as_slice());
        upload.put_part(head.into()).await.map_err(failed)?;
        Ok(Growing {
            id,
            key,
            on_disk: self.root.join(path.as_ref()),
            upload,
            buffer: Vec::with_capacity(PIECE),
            next: 0,
            size: 0,
        })
    }

    fn long(id: Uuid) -> ObjectPath {
        ObjectPath::from(format!("{}.long", Files::path(id)))
    }

    /// Opens a file written piece by piece.
    async fn read_long(&self, store: &Store, id: FileId) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let broken = || StoreError::Unsealable {
            table: "file",
            column: "content",
        };
        let found = self.store.get(&Files::long(id.uuid())).await;
        let found = found.map_err(|error| match error {
            object_store::Error::NotFound { .. } => StoreError::NoFile(id.uuid()),
            other => failed(other),
        })?;
        let bytes = found.bytes().await.map_err(failed)?;
        let (head, mut rest) = bytes.split_at_checked(HEAD).ok_or_else(broken)?;
        let key = KeyId::from_uuid(Uuid::from_slice(head).map_err(failed)?);
        let mut plain = Zeroizing::new(Vec::with_capacity(rest.len()));
        let mut number = 0;
        loop {
            let (length, tail) = rest.split_first_chunk::<4>().ok_or_else(broken)?;
            let length = usize::try_from(u32::from_be_bytes(*length)).map_err(failed)?;
            let (sealed, tail) = tail.split_at_checked(length).ok_or_else(broken)?;
            let row = piece(id.uuid(), number, tail.is_empty());
            let place = Place {
                table: "file",
                column: "piece",
                row: &row,
            };
            plain.extend_from_slice(&store.seal().open_own(store.read(), key, place, sealed).await?);
            if tail.is_empty() {
                return Ok(plain);
            }
            rest = tail;
            number += 1;
        }
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
        let (key, sealed) = match self.read(id).await {
            Err(StoreError::NoFile(_)) => return self.read_long(store, id).await,
            other => other?,
        };
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

/// Bytes of a piece of a long file.
const PIECE: usize = 1 << 20;
/// Largest long file, in bytes.
const LONGEST: u64 = 1 << 30;

/// What a piece is bound to: its file, its number, and whether it is the last, so that none can be moved, left out or cut off.
fn piece(file: Uuid, number: u32, last: bool) -> Vec<u8> {
    let mut row = file.as_bytes().to_vec();
    row.extend_from_slice(&number.to_be_bytes());
    row.push(u8::from(last));
    row
}

/// A file that is being written. One that is not finished is never there.
pub struct Growing {
    id: Uuid,
    key: KeyId,
    on_disk: PathBuf,
    upload: Box<dyn MultipartUpload>,
    buffer: Vec<u8>,
    next: u32,
    size: u64,
}

impl Growing {
    /// Adds bytes; they are sealed and written as pieces fill up.
    ///
    /// # Errors
    /// [`StoreError::FileTooLarge`]; [`StoreError::Files`]; the seal's.
    pub async fn write(&mut self, store: &Store, bytes: &[u8]) -> Result<(), StoreError> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > LONGEST {
            return Err(StoreError::FileTooLarge {
                size: self.size,
                limit: LONGEST,
            });
        }
        self.buffer.extend_from_slice(bytes);
        // the last piece is named as such, so one is always kept back
        while self.buffer.len() > PIECE {
            let rest = self.buffer.split_off(PIECE);
            let full = Zeroizing::new(std::mem::replace(&mut self.buffer, rest));
            self.put(store, &full, false).await?;
        }
        Ok(())
    }

    async fn put(&mut self, store: &Store, plain: &[u8], last: bool) -> Result<(), StoreError> {
        let row = piece(self.id, self.next, last);
        let place = Place {
            table: "file",
            column: "piece",
            row: &row,
        };
        let sealed = store.seal().seal(store.read(), self.key, place, plain).await?;
        let length = u32::try_from(sealed.len()).map_err(failed)?;
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend_from_slice(&sealed);
        self.next = self.next.checked_add(1).ok_or_else(|| failed("too many pieces"))?;
        self.upload.put_part(bytes.into()).await.map_err(failed)
    }

    /// Writes the last piece; the file is on the disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::Files`]; the seal's.
    pub async fn finish(mut self, store: &Store) -> Result<FileId, StoreError> {
        let rest = Zeroizing::new(std::mem::take(&mut self.buffer));
        self.put(store, &rest, true).await?;
        self.upload.complete().await.map_err(failed)?;
        let on_disk = self.on_disk;
        tokio::task::spawn_blocking(move || flush(&on_disk))
            .await
            .map_err(failed)?
            .map_err(failed)?;
        Ok(FileId::from_uuid(self.id))
    }

    /// Gives the file up.
    pub async fn give_up(mut self) {
        if let Err(error) = self.upload.abort().await {
            tracing::warn!(%error, "a half-written file could not be removed");
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
