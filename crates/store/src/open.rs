//! Opening the store.

use std::path::PathBuf;
use std::sync::Arc;

use civic::Clock;
use jiff::Timestamp;
use sea_orm::DatabaseConnection;
use sea_orm_migration::MigratorTrait as _;

use crate::access::Access;
use crate::files::Files;
use crate::ledger::Words;
use crate::migrations::Migrator;
use crate::outbox::Bell;
use crate::seal::destroyed::Register;
use crate::seal::{LookupKey, MasterKeys, Seal};
use crate::session::Kept;
use crate::write::{Queue, Tx, Work, Writer};
use crate::{StoreError, engine};

/// What the store needs to know.
pub struct StoreConfig {
    /// `sqlite://path/to/file` or `postgres://user:password@host/database`.
    pub url: String,
    /// Folder of the sealed files; made when missing.
    pub files: PathBuf,
    /// Keys that wrap the data keys.
    pub master_keys: MasterKeys,
    /// Key of the exact lookups.
    pub lookup_key: LookupKey,
    /// Folder of the access policies; the ones built in when absent.
    pub policies: Option<PathBuf>,
    /// File in which destroyed data keys are noted for whoever restores an older backup; none where nobody will.
    pub destroyed: Option<PathBuf>,
}

/// The operational store. A clone is the same store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    read: DatabaseConnection,
    queue: Queue,
    seal: Seal,
    access: Access,
    files: Files,
    bell: Bell,
    sessions: Kept,
    clock: Arc<dyn Clock>,
}

impl Store {
    /// Opens the database and the files, brings the schema up to date and starts the writer.
    ///
    /// # Errors
    /// When the address, the policies or the folder can't be used, or the database can't be reached.
    pub async fn open(config: StoreConfig, clock: Arc<dyn Clock>) -> Result<Store, StoreError> {
        let access = match &config.policies {
            Some(folder) => Access::load(folder)?,
            None => Access::built_in()?,
        };
        let files = Files::open(&config.files)?;
        let connections = engine::connect(&config.url).await?;
        Migrator::up(&connections.write, None).await?;
        let register = config.destroyed.map(Register::new);
        if let Some(register) = &register {
            let settled = register.settle(&connections.write).await?;
            if settled.added > 0 {
                tracing::info!(added = settled.added, "destroyed keys were added to their register");
            }
            if settled.destroyed_again > 0 {
                let again = settled.destroyed_again;
                tracing::warn!(
                    again,
                    "an older state of the database had keys that were destroyed since; they are destroyed again"
                );
            }
        }
        let words = Words::default();
        let bell = Bell::default();
        let queue = Queue::start(Writer {
            write: connections.write,
            words,
            bell: bell.clone(),
            clock: Arc::clone(&clock),
        })?;
        let store = Store {
            inner: Arc::new(Inner {
                read: connections.read,
                queue,
                seal: Seal::new(config.master_keys, config.lookup_key, register),
                access,
                files,
                bell,
                sessions: Kept::default(),
                clock,
            }),
        };
        crate::session::prepare(&store).await?;
        Ok(store)
    }

    /// The connections for reading; they can't write.
    #[must_use]
    pub fn read(&self) -> &DatabaseConnection {
        &self.inner.read
    }

    /// Carries out `work` in the one writer and returns after its commit is on disk.
    ///
    /// `work` does database work only: no network, no sleeping, at most ten seconds. Once queued it
    /// is carried out even when the caller goes away.
    ///
    /// # Errors
    /// The error of `work`, after which nothing of it is stored; or the store's own:
    /// [`StoreError::Overloaded`], [`StoreError::Unreachable`], [`StoreError::GivenUp`],
    /// [`StoreError::Closed`] (nothing stored) and [`StoreError::Unconfirmed`] (may be stored).
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a Tx) -> Work<'a, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.inner.queue.write(work).await
    }

    /// Sealing and lookups.
    #[must_use]
    pub fn seal(&self) -> &Seal {
        &self.inner.seal
    }

    /// The access policies.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.inner.access
    }

    /// Sealed files.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.inner.files
    }

    /// The time of the store's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.inner.bell
    }

    pub(crate) fn kept_sessions(&self) -> &Kept {
        &self.inner.sessions
    }

    /// Finishes the queued writes and closes the connections.
    pub async fn close(&self) {
        self.inner.queue.close().await;
        if let Err(error) = self.inner.read.clone().close().await {
            tracing::warn!(%error, "closing the readers failed");
        }
    }
}
