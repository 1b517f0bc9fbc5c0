//! MyData (個人化資料自主運用平臺), both ways. As service provider: the citizen is verified on the platform (flow A) or signs on the
//! city's page (flow B), and the platform hands over a signed package of register data. As data provider: [`provider`].
//!
//! The order of events: [`Connector::begin`] gives the address to send the browser to; the platform calls the city
//! ([`Connector::read_notification`]) and sends the browser back ([`Connector::read_return`]); the package is fetched
//! once ([`Connector::fetch`]) and opened ([`Connector::open`]). The browser's code is never proof of anything: the
//! notification decides.
//!
//! The platform's technical document is not public. What is assumed of it is gathered in [`Config`].

mod checks;
mod config;
mod connector;
mod counter;
pub mod crypto;
mod fetch;
pub mod jwe;
pub mod manifest;
mod notification;
pub mod package;
pub mod provider;
mod request;
mod return_codes;
mod signature;
mod unzip;

pub use crate::certificate::{CertificateError, Facts};
pub use checks::{CheckError, Offered, Progress, Verification};
pub use config::{Config, ConfigError, PackageLimits, Times};
pub use connector::Connector;
pub use counter::{CounterCall, CounterCode, CounterError};
pub use fetch::{Fetch, FetchError};
pub use jwe::JweError;
pub use manifest::ManifestError;
pub use notification::{Notification, NotificationError, SecretKey};
pub use package::{DataSet, Package, PackageError, Results};
pub use request::{Begin, RequestError};
pub use return_codes::{Return, ReturnCode, ReturnError};
pub use signature::{Salt, SignatureError, Statement, ThirdParty};
pub use unzip::{UnzipError, unzip};
