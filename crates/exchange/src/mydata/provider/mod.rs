//! MyData as data provider: the city's own data sets offered to the platform (DP-API).
//!
//! The platform calls with a token of the citizen ([`Request`]); the city asks the platform whether the token stands for this data set
//! ([`Provider::introspect`]) and whose it is ([`Provider::holder`]), and answers with a signed package ([`Provider::pack`]), with
//! nothing (204), with *later* (429) or with a refusal. What the platform has noted of it is read with [`Provider::log`].
//!
//! As on the other side, what is assumed of the platform stands in [`Config`].

mod config;
mod log;
mod pack;
mod platform;
mod request;

pub use config::{Config, ConfigError, Offered};
pub use log::{LogLine, LogQuery};
pub use pack::PackError;
pub use platform::{Holder, PlatformError, Token};
pub use request::{Request, RequestError};

use crate::client;
use std::sync::Arc;

/// The city as provider of its registered data sets. Cheap to clone.
#[derive(Clone)]
pub struct Provider(Arc<Parts>);

struct Parts {
    config: Config,
    signer: pack::PackSigner,
    client: reqwest::Client,
}

impl Provider {
    /// A provider of a configuration.
    ///
    /// # Errors
    /// [`ConfigError`] for an unreadable key or certificate, or an unusable address or data set.
    pub fn new(config: Config) -> Result<Provider, ConfigError> {
        config.check()?;
        let signer = pack::PackSigner::read(&config.certificate, &config.private_key)?;
        let client = client::build(&config.client)?;
        Ok(Provider(Arc::new(Parts { config, signer, client })))
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Reads the platform's call: its token, its transaction and the data set's own parameters, from the headers. `names` are the
    /// parameters that the data set registered; others are not looked at.
    ///
    /// # Errors
    /// [`RequestError`] for a call that the platform would not make.
    pub fn read<'a>(&self, header: impl Fn(&str) -> Option<&'a str>, names: &[&str]) -> Result<Request, RequestError> {
        request::read(&self.0.config, header, names)
    }

    /// Whether a token stands for this data set; how the citizen was verified where it does.
    ///
    /// # Errors
    /// [`PlatformError`] when there is no answer to go by.
    pub async fn introspect(
        &self,
        resource_id: &str,
        token: &Token,
    ) -> Result<Option<super::Verification>, PlatformError> {
        platform::introspect(&self.0.config, &self.0.client, resource_id, token).await
    }

    /// Whose token it is; nobody's where it is dead.
    ///
    /// # Errors
    /// [`PlatformError`] when there is no answer to go by.
    pub async fn holder(&self, token: &Token) -> Result<Option<Holder>, PlatformError> {
        platform::holder(&self.0.config, &self.0.client, token).await
    }

    /// The package of a data set: its files with a manifest, signed by the city's certificate. Some milliseconds of processor time
    /// for each MiB.
    ///
    /// # Errors
    /// [`PackError`] for names that can't stand in a package.
    pub fn pack(&self, files: &[(&str, &[u8])]) -> Result<Vec<u8>, PackError> {
        pack::pack(&self.0.signer, &self.0.config.meta_folder, files)
    }

    /// What the platform has noted of the city's data set in some days (`/log/dp`).
    ///
    /// # Errors
    /// [`PlatformError`].
    pub async fn log(&self, query: &LogQuery<'_>) -> Result<Vec<LogLine>, PlatformError> {
        log::read(&self.0.config, &self.0.client, query).await
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Provider").field(&self.0.config).finish()
    }
}
