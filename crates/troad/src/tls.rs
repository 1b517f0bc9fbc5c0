//! Mutual TLS between gateways. A certificate counts because the directory names it as its member's and its check held: chain,
//! time, purpose, revocation. Host names do not matter; whose gateway it is does.

use crate::ids::MemberId;
use crate::registry::{Certified, Registry};
use civic::Clock;
use pki::{CertificateError, Purpose};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// The registry of now, shared by everything that decides.
#[derive(Clone)]
pub struct Current {
    registry: Arc<RwLock<Arc<Registry>>>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl Current {
    /// Begins with a registry.
    #[must_use]
    pub fn new(registry: Registry, clock: Arc<dyn Clock>) -> Current {
        Current {
            registry: Arc::new(RwLock::new(Arc::new(registry))),
            clock,
        }
    }

    /// The registry of now.
    #[must_use]
    pub fn get(&self) -> Arc<Registry> {
        Arc::clone(&self.registry.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another in its place.
    pub fn set(&self, registry: Registry) {
        *self.registry.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(registry);
    }
}

/// This side's certificate with its chain, and its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads PEM texts.
    ///
    /// # Errors
    /// A text that says which of the two is none.
    pub fn read(certificate: &str, key: &str) -> Result<Identity, String> {
        let chain = pki::pem(certificate).map_err(|error| error.to_string())?;
        if chain.is_empty() {
            return Err("no certificate in the text".to_owned());
        }
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| format!("its key: {error}"))?;
        Ok(Identity { chain, key })
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The side that is called.
///
/// # Errors
/// A text of the TLS library.
pub fn server(identity: &Identity, current: &Current) -> Result<Arc<ServerConfig>, String> {
    let provider = provider();
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_client_cert_verifier(Arc::new(Known {
            current: current.clone(),
            provider,
            owner: None,
        }))
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // a resumed session would skip the certificate
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The side that calls the gateway of `owner`.
///
/// # Errors
/// A text of the TLS library.
pub fn client(identity: &Identity, current: &Current, owner: &MemberId) -> Result<Arc<ClientConfig>, String> {
    let provider = provider();
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Known {
            current: current.clone(),
            provider,
            owner: Some(owner.owner()),
        }))
        .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.enable_sni = false;
    // a resumed session would skip the certificate
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// Plain server authentication by configured roots, for provider systems and authorities that are reached over `https`.
///
/// # Errors
/// A text of the TLS library.
pub fn ordinary(roots: &str) -> Result<Arc<ClientConfig>, String> {
    let mut store = rustls::RootCertStore::empty();
    for der in pki::pem(roots).map_err(|error| error.to_string())? {
        store.add(der).map_err(|error| error.to_string())?;
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Verifies that a certificate is a known gateway's.
struct Known {
    current: Current,
    provider: Arc<CryptoProvider>,
    /// Whose gateway is expected, on the calling side.
    owner: Option<MemberId>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}

impl Known {
    fn check(&self, der: &CertificateDer<'_>, purpose: Purpose) -> Result<Arc<Certified>, rustls::Error> {
        let refused = |error: rustls::CertificateError| rustls::Error::InvalidCertificate(error);
        let registry = self.current.get();
        let certified = registry
            .gateway_certificate(&pki::fingerprint(der))
            .ok_or_else(|| refused(rustls::CertificateError::UnknownIssuer))?;
        certified
            .serves(purpose, self.current.clock.now())
            .map_err(|error| refused(alert(&error)))?;
        if self.owner.as_ref().is_some_and(|owner| *owner != certified.owner) {
            return Err(refused(rustls::CertificateError::ApplicationVerificationFailure));
        }
        Ok(Arc::clone(certified))
    }
}

fn alert(error: &CertificateError) -> rustls::CertificateError {
    match error {
        CertificateError::Unreadable => rustls::CertificateError::BadEncoding,
        CertificateError::Expired(_) => rustls::CertificateError::Expired,
        CertificateError::NotYetValid(_) => rustls::CertificateError::NotValidYet,
        CertificateError::UnknownIssuer => rustls::CertificateError::UnknownIssuer,
        CertificateError::Revoked => rustls::CertificateError::Revoked,
        CertificateError::UnknownStanding => rustls::CertificateError::UnknownRevocationStatus,
        CertificateError::WrongPurpose => rustls::CertificateError::InvalidPurpose,
        CertificateError::WrongChainSignature | CertificateError::UnknownSignature => {
            rustls::CertificateError::BadSignature
        }
        CertificateError::WeakAlgorithm | CertificateError::PathTooLong | CertificateError::Chain(_) => {
            rustls::CertificateError::ApplicationVerificationFailure
        }
    }
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.check(end_entity, Purpose::ServerAuthentication)
            .map(|_| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Known {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check(end_entity, Purpose::ClientAuthentication)
            .map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
