//! The versions of a table, by the log in its folder.

use futures::{StreamExt as _, TryStreamExt as _};

use crate::error::HubError;
use crate::log::{self, Action, Entries, Protocol, State};
use crate::storage::Storage;

/// Commits that are read at once.
const AT_ONCE: usize = 16;

/// Those that can be read.
pub(crate) struct Versions<'a> {
    storage: &'a Storage,
    /// Of the files in the log's folder.
    names: Vec<String>,
    entries: Entries,
}

impl Versions<'_> {
    /// Those of a table; nothing where there is none.
    pub async fn of(storage: &Storage) -> Result<Option<Versions<'_>>, HubError> {
        let found = storage.list(log::FOLDER).await?.into_iter();
        let names: Vec<String> = found
            .filter_map(|(name, _)| Some(name.strip_prefix(log::FOLDER)?.strip_prefix('/')?.to_owned()))
            .collect();
        match Entries::of(names.iter().map(String::as_str)) {
            Some(entries) => Ok(Some(Versions {
                storage,
                names,
                entries,
            })),
            None if names.iter().any(|name| name.ends_with(".json")) => {
                Err(storage.fail("entries of its log are missing; bring them back from a copy"))
            }
            None => Ok(None),
        }
    }

    pub fn latest(&self) -> u64 {
        *self.entries.readable.end()
    }

    pub fn holds(&self, version: u64) -> bool {
        self.entries.readable.contains(&version)
    }

    /// The version that was the latest at a time in milliseconds since 1970; nothing where that one is gone or was none.
    pub async fn at(&self, time: i64) -> Result<Option<u64>, HubError> {
        // times rise with versions
        let (mut below, mut above) = (*self.entries.readable.start(), self.latest() + 1);
        if self.time_of(below).await? > time {
            return Ok(None);
        }
        while above - below > 1 {
            let middle = below.midpoint(above);
            if self.time_of(middle).await? > time {
                above = middle;
            } else {
                below = middle;
            }
        }
        Ok(Some(below))
    }

    /// What a version is.
    pub async fn state(&self, version: u64) -> Result<State, HubError> {
        let mut state = State::default();
        let (checkpoint, commits) = self.entries.way_to(version);
        if let Some(checkpoint) = checkpoint {
            let name = log::checkpoint_name(checkpoint);
            let actions = log::read_checkpoint(self.storage.read(&name).await?);
            for action in actions.map_err(|error| self.storage.fail(format!("`{name}` can't be read: {error}")))? {
                state.apply(action);
            }
        }
        let mut commits = futures::stream::iter(commits)
            .map(|version| self.commit(version))
            .buffered(AT_ONCE);
        while let Some(actions) = commits.try_next().await? {
            for action in actions {
                state.apply(action);
            }
        }
        if state.protocol != Some(Protocol::ours()) {
            return Err(self.storage.fail(
                "another program has written to it in a way that this one does not know (`protocol` in its log); move \
                 its folder away and bring the dataset in anew",
            ));
        }
        Ok(state)
    }

    /// Writes the checkpoint of a version unless there is one. Files removed at `since` (milliseconds since 1970) or
    /// before are not in it.
    pub async fn checkpoint(&self, version: u64, state: &State, since: i64) -> Result<(), HubError> {
        if self.entries.has_checkpoint(version) {
            return Ok(());
        }
        let (bytes, rows) = log::write_checkpoint(state, since).map_err(|error| self.storage.fail(error))?;
        let name = log::checkpoint_name(version);
        self.storage.put(&name, bytes.into()).await?;
        if version == self.latest() {
            let told = serde_json::json!({ "version": version, "size": rows }).to_string();
            self.storage.put(log::LAST_CHECKPOINT, told.into()).await?;
        }
        Ok(())
    }

    /// Deletes the entries before a version that has a checkpoint; answers how many.
    pub async fn forget(&self, version: u64) -> Result<usize, HubError> {
        let mut old: Vec<&str> = self.names.iter().map(String::as_str).collect();
        old.retain(|name| log::version_of(name).is_some_and(|(before, _)| before < version));
        // from the oldest on, so that a cleaning that is cut off leaves no gap
        old.sort_unstable();
        let mut gone = 0;
        for name in old {
            gone += usize::from(self.storage.delete(&format!("{}/{name}", log::FOLDER)).await?);
        }
        Ok(gone)
    }

    async fn commit(&self, version: u64) -> Result<Vec<Action>, HubError> {
        let name = log::commit_name(version);
        let text = self.storage.read(&name).await?;
        log::read_commit(&text).map_err(|error| self.storage.fail(format!("`{name}` can't be read: {error}")))
    }

    /// Milliseconds since 1970 of a commit.
    async fn time_of(&self, version: u64) -> Result<i64, HubError> {
        let actions = self.commit(version).await?;
        let info = actions.into_iter().find_map(|action| action.commit_info);
        let name = log::commit_name(version);
        info.and_then(|info| info.in_commit_timestamp)
            .ok_or_else(|| self.storage.fail(format!("`{name}` does not say its time")))
    }
}

/// Publishes a version; says whether it is there now and not another of its number.
pub(crate) async fn publish(storage: &Storage, version: u64, actions: &[Action]) -> Result<bool, HubError> {
    let text = log::write_commit(actions).map_err(|error| storage.fail(error))?;
    storage.create(&log::commit_name(version), text.into()).await
}
