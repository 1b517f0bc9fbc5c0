//! The HTTP client shared by the protocols: TLS by rustls, no redirects, bounded times and bounded bodies.

use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How an outside party is called.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientConfig {
    /// Seconds to wait for a connection.
    pub connect_seconds: u64,
    /// Seconds to wait for a whole answer.
    pub answer_seconds: u64,
    /// PEM certificates of the roots to trust for TLS; empty means those of the operating system.
    pub tls_roots: String,
    /// Refuses `http:` addresses. Only a demonstration on the loopback address sets it to false.
    pub https_only: bool,
}

impl Default for ClientConfig {
    fn default() -> ClientConfig {
        ClientConfig {
            connect_seconds: 15,
            answer_seconds: 120,
            tls_roots: String::new(),
            https_only: true,
        }
    }
}

/// Why a client can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// `tls_roots` is not a list of PEM certificates.
    #[error("`tls_roots` holds no readable PEM certificate: {0}")]
    Roots(String),
    /// The TLS library or the client refuses the configuration.
    #[error("the TLS configuration is not usable: {0}")]
    Tls(String),
}

/// Makes a client. Redirects are never followed: a redirected call would carry a ticket to a host nobody named.
pub(crate) fn build(config: &ClientConfig) -> Result<reqwest::Client, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Tls(error.to_string()))?;
    let tls = if config.tls_roots.trim().is_empty() {
        let verifier =
            rustls_platform_verifier::Verifier::new(provider).map_err(|error| ClientError::Tls(error.to_string()))?;
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth()
    } else {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(config.tls_roots.as_bytes()) {
            let certificate = certificate.map_err(|error| ClientError::Roots(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| ClientError::Roots(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(ClientError::Roots("no certificate in the text".to_owned()));
        }
        builder.with_root_certificates(roots).with_no_client_auth()
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(config.connect_seconds))
        .timeout(Duration::from_secs(config.answer_seconds))
        .https_only(config.https_only)
        .build()
        .map_err(|error| ClientError::Tls(error.to_string()))
}

/// The address some segments below another; `None` where the other can't carry a path.
pub(crate) fn below(base: &Url, path: &[&str]) -> Option<Url> {
    let mut url = base.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(path);
    Some(url)
}

/// The fields of a form or a query, as sent and not decoded; `None` where one stands twice.
pub(crate) fn fields(body: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut fields = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        if fields.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(fields)
}

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// More than the limit was sent.
    TooLarge,
    /// The connection broke.
    Broken(reqwest::Error),
}

/// Reads a body of at most `limit` bytes, whatever its header says of its length.
pub(crate) async fn bounded_body(mut response: reqwest::Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    if response
        .content_length()
        .is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit))
    {
        return Err(BodyError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
