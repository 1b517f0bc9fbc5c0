//! PKCS#7 signatures: CMS SignedData (RFC 5652) with one signer, over content that the caller knows or finds inside.
//!
//! Everything is read strictly as DER and with bounds. A signature over attributes must name the type and the digest of the
//! content; without attributes it is over the content itself.

use crate::{Algorithm, CertificateError, Hash, Trusted};
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{ObjectIdentifier, OctetString};
use der::oid::db::rfc5911::{ID_CONTENT_TYPE, ID_DATA, ID_MESSAGE_DIGEST, ID_SIGNED_DATA};
use der::{Decode, Encode};
use rustls::pki_types::CertificateDer;
use subtle::ConstantTimeEq;
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectKeyIdentifier;

/// Most bytes of a signature with its certificates.
pub const LARGEST: usize = 64 << 10;

/// Why a PKCS#7 signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// Larger than any signature over a short text.
    #[error("the signature is larger than {LARGEST} bytes")]
    TooLarge,
    /// Not DER of SignedData, or cut off.
    #[error("the signature is not a PKCS#7 SignedData in DER")]
    Form,
    /// No signer, or more than one.
    #[error("the signature must have one signer, it has {0}")]
    Signers(usize),
    /// The signer's certificate is not inside.
    #[error("the signature does not carry the certificate of its signer")]
    NoCertificate,
    /// Signed something else.
    #[error("the signature is over other content")]
    OtherContent,
    /// SHA-1, an unknown algorithm, or parameters that are not the usual ones.
    #[error("the signature is made with an algorithm that is not accepted")]
    Algorithm,
    /// Attributes without content type or digest, or with two of them.
    #[error("the signed attributes are not complete")]
    Attributes,
    /// The certificate or the signature itself.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// A signature, read and not yet believed.
#[derive(Debug)]
pub struct Signed {
    data: SignedData,
    signer: SignerInfo,
}

impl Signed {
    /// Reads the form (DER).
    ///
    /// # Errors
    /// [`CmsError::TooLarge`], [`CmsError::Form`], [`CmsError::Signers`].
    pub fn read(signature: &[u8]) -> Result<Signed, CmsError> {
        if signature.len() > LARGEST {
            return Err(CmsError::TooLarge);
        }
        let info = ContentInfo::from_der(signature).map_err(|_| CmsError::Form)?;
        if info.content_type != ID_SIGNED_DATA {
            return Err(CmsError::Form);
        }
        let data: SignedData = info.content.decode_as().map_err(|_| CmsError::Form)?;
        match data.signer_infos.0.as_slice() {
            [signer] => Ok(Signed {
                signer: signer.clone(),
                data,
            }),
            signers => Err(CmsError::Signers(signers.len())),
        }
    }

    /// The content, where it is of this type and carried inside.
    #[must_use]
    pub fn content(&self, kind: ObjectIdentifier) -> Option<Vec<u8>> {
        let inside = &self.data.encap_content_info;
        let content: OctetString = inside.econtent.as_ref()?.decode_as().ok()?;
        (inside.econtent_type == kind).then(|| content.into_bytes().into())
    }

    /// The certificates inside, DER, the signer's before the others.
    ///
    /// # Errors
    /// [`CmsError::NoCertificate`], [`CmsError::Form`].
    pub fn chain(&self) -> Result<Vec<CertificateDer<'static>>, CmsError> {
        let certificates = self.data.certificates.iter().flat_map(|set| set.0.iter());
        let certificates = certificates.filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate),
            CertificateChoices::Other(_) => None,
        });
        let (own, others): (Vec<_>, Vec<_>) =
            certificates.partition(|certificate| is_of(&self.signer.sid, certificate));
        let own = own.first().ok_or(CmsError::NoCertificate)?;
        std::iter::once(own)
            .chain(&others)
            .map(|certificate| certificate.to_der().map(CertificateDer::from))
            .collect::<Result<_, _>>()
            .map_err(|_| CmsError::Form)
    }

    /// Checks that it was made by the first certificate of [`Signed::chain`] over `content`, whether it carries the content or
    /// not.
    ///
    /// # Errors
    /// [`CmsError`]
    pub fn verify(&self, by: &Trusted, content: &[u8]) -> Result<(), CmsError> {
        if let Some(inside) = &self.data.encap_content_info.econtent {
            let inside: OctetString = inside.decode_as().map_err(|_| CmsError::Form)?;
            if inside.as_bytes() != content {
                return Err(CmsError::OtherContent);
            }
        }
        let hash = Hash::of(&self.signer.digest_alg.oid).ok_or(CmsError::Algorithm)?;
        let algorithm = Algorithm::of(&self.signer.signature_algorithm, Some(hash)).ok_or(CmsError::Algorithm)?;
        let message = self.message(hash, content)?;
        Ok(by.verify(algorithm, &message, self.signer.signature.as_bytes())?)
    }

    /// What the signature is over (RFC 5652 section 5.4): the attributes as a set, or the content.
    fn message(&self, hash: Hash, content: &[u8]) -> Result<Vec<u8>, CmsError> {
        let kind = self.data.encap_content_info.econtent_type;
        let Some(attributes) = &self.signer.signed_attrs else {
            return match kind == ID_DATA {
                true => Ok(content.to_vec()),
                false => Err(CmsError::Attributes),
            };
        };
        let single = |oid: ObjectIdentifier| {
            let mut found = attributes.iter().filter(|attribute| attribute.oid == oid);
            let values = &found.next()?.values;
            (found.next().is_none() && values.len() == 1)
                .then(|| values.iter().next())
                .flatten()
        };
        let named: ObjectIdentifier = single(ID_CONTENT_TYPE)
            .and_then(|value| value.decode_as().ok())
            .ok_or(CmsError::Attributes)?;
        let digest: OctetString = single(ID_MESSAGE_DIGEST)
            .and_then(|value| value.decode_as().ok())
            .ok_or(CmsError::Attributes)?;
        // what is signed must itself say what it is, or a signature over other content would serve
        if named != kind {
            return Err(CmsError::Attributes);
        }
        if !bool::from(digest.as_bytes().ct_eq(hash.digest(content).as_ref())) {
            return Err(CmsError::OtherContent);
        }
        attributes.to_der().map_err(|_| CmsError::Form)
    }
}

fn is_of(id: &SignerIdentifier, certificate: &Certificate) -> bool {
    let content = certificate.tbs_certificate();
    match id {
        SignerIdentifier::IssuerAndSerialNumber(id) => {
            id.issuer == *content.issuer() && id.serial_number == *content.serial_number()
        }
        SignerIdentifier::SubjectKeyIdentifier(id) => matches!(
            content.get_extension::<SubjectKeyIdentifier>(),
            Ok(Some((_, found))) if found == *id
        ),
    }
}
