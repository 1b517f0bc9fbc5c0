//! OCSP answers (RFC 6960): the basic response, signed by the authority itself or by a responder it named.

use super::evidence::Standing;
use der::asn1::{BitString, GeneralizedTime, Int, Null, ObjectIdentifier, OctetString};
use der::oid::db::{rfc5912::ID_SHA_1, rfc6960::ID_PKIX_OCSP_BASIC};
use der::{Any, Choice, Decode, Encode, Enumerated, Sequence};
use jiff::{SignedDuration, Timestamp};
use pki::{Algorithm, Hash, PublicKey, Purpose, Revocation, Trust};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::ext::Extensions;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;

#[derive(Clone, Copy, PartialEq, Eq, Enumerated)]
#[asn1(type = "ENUMERATED")]
#[repr(u32)]
enum ResponseStatus {
    Successful = 0,
    MalformedRequest = 1,
    InternalError = 2,
    TryLater = 3,
    SigRequired = 5,
    Unauthorized = 6,
}

#[derive(Sequence)]
struct Response {
    status: ResponseStatus,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    bytes: Option<ResponseBytes>,
}

#[derive(Sequence)]
struct ResponseBytes {
    kind: ObjectIdentifier,
    response: OctetString,
}

#[derive(Sequence)]
struct BasicResponse {
    data: ResponseData,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    certificates: Option<Vec<Certificate>>,
}

#[derive(Sequence)]
struct ResponseData {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    version: Option<u8>,
    responder: ResponderId,
    produced_at: GeneralizedTime,
    responses: Vec<SingleResponse>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Choice)]
enum ResponderId {
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", constructed = "true")]
    ByName(Name),
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", constructed = "true")]
    ByKey(OctetString),
}

#[derive(Sequence)]
struct SingleResponse {
    id: CertId,
    status: CertStatus,
    this_update: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    next_update: Option<GeneralizedTime>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Sequence)]
struct CertId {
    hash: AlgorithmIdentifierOwned,
    issuer_name: OctetString,
    issuer_key: OctetString,
    serial: Int,
}

#[derive(Choice)]
enum CertStatus {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    Good(Null),
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true")]
    Revoked(RevokedInfo),
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT")]
    Unknown(Null),
}

#[derive(Sequence)]
struct RevokedInfo {
    time: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    reason: Option<Any>,
}

/// One answer, read and not yet believed.
pub(super) struct Answer(BasicResponse);

/// Reads a successful basic response.
pub(super) fn read(bytes: &[u8]) -> Option<Answer> {
    let response = Response::from_der(bytes).ok()?;
    if response.status != ResponseStatus::Successful {
        return None;
    }
    let bytes = response.bytes.filter(|bytes| bytes.kind == ID_PKIX_OCSP_BASIC)?;
    BasicResponse::from_der(bytes.response.as_bytes()).ok().map(Answer)
}

impl Answer {
    /// What the answer says of a certificate of `issuer`. Unknown, too, where it does not speak of it, is out of date, or is
    /// not signed by the authority or its responder.
    pub(super) fn about(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
        skew: SignedDuration,
    ) -> Standing {
        let Some(single) = self
            .0
            .data
            .responses
            .iter()
            .find(|single| names(&single.id, certificate, issuer))
        else {
            return Standing::Unknown;
        };
        if !self.is_signed_for(issuer, now) || !is_current(single, now, skew) {
            return Standing::Unknown;
        }
        match single.status {
            CertStatus::Good(_) => Standing::Good,
            CertStatus::Revoked(_) => Standing::Revoked,
            CertStatus::Unknown(_) => Standing::Unknown,
        }
    }

    /// Whether the authority signed, or a responder whose certificate the same authority made for this purpose
    /// (RFC 6960 section 4.2.2.2).
    fn is_signed_for(&self, issuer: &Certificate, now: Timestamp) -> bool {
        let Ok(data) = self.0.data.to_der() else { return false };
        let Some(signature) = self.0.signature.as_bytes() else {
            return false;
        };
        let Some(algorithm) = Algorithm::of(&self.0.algorithm, None) else {
            return false;
        };
        let id = &self.0.data.responder;
        let is_own = PublicKey::of(issuer).is_some_and(|key| key.verifies(algorithm, &data, signature));
        if is_own && is_responder(id, issuer) {
            return true;
        }
        let der = |certificate: &Certificate| certificate.to_der().map(CertificateDer::from);
        let Ok(Ok(trust)) = der(issuer).map(|root| Trust::new(&[root], Vec::new())) else {
            return false;
        };
        self.0.certificates.iter().flatten().take(4).any(|responder| {
            is_responder(id, responder)
                && der(responder).is_ok_and(|der| {
                    let trusted = trust.check(&[der], Purpose::OcspSigning, Revocation::default(), now);
                    trusted.is_ok_and(|trusted| trusted.verify(algorithm, &data, signature).is_ok())
                })
        })
    }
}

/// Whether the answer's responder is this certificate.
fn is_responder(id: &ResponderId, certificate: &Certificate) -> bool {
    match id {
        ResponderId::ByName(name) => name == certificate.tbs_certificate().subject(),
        ResponderId::ByKey(hash) => {
            key_bytes(certificate).is_some_and(|key| digest(&SHA1_FOR_LEGACY_USE_ONLY, key).as_ref() == hash.as_bytes())
        }
    }
}

fn key_bytes(certificate: &Certificate) -> Option<&[u8]> {
    certificate
        .tbs_certificate()
        .subject_public_key_info()
        .subject_public_key
        .as_bytes()
}

/// Whether an id names this certificate of this issuer. SHA-1 only identifies here (RFC 6960 section 4.3 requires it); what
/// is believed hangs on the signature.
fn names(id: &CertId, certificate: &Certificate, issuer: &Certificate) -> bool {
    let is_digest = |bytes: &[u8], of: &OctetString| match (id.hash.oid, Hash::of(&id.hash.oid)) {
        (ID_SHA_1, _) => digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref() == of.as_bytes(),
        (_, Some(hash)) => hash.digest(bytes).as_ref() == of.as_bytes(),
        (_, None) => false,
    };
    let Ok(name) = issuer.tbs_certificate().subject().to_der() else {
        return false;
    };
    let is_issuer = certificate.tbs_certificate().issuer() == issuer.tbs_certificate().subject()
        && is_digest(&name, &id.issuer_name)
        && key_bytes(issuer).is_some_and(|key| is_digest(key, &id.issuer_key));
    is_issuer
        && SerialNumber::<x509_cert::certificate::Rfc5280>::new(id.serial.as_bytes())
            .is_ok_and(|serial| &serial == certificate.tbs_certificate().serial_number())
}

fn is_current(single: &SingleResponse, now: Timestamp, skew: SignedDuration) -> bool {
    let at = |time: &GeneralizedTime| {
        i64::try_from(time.to_unix_duration().as_secs())
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
    };
    let began = at(&single.this_update).is_some_and(|from| now.duration_since(from) >= -skew);
    // Without an end newer information is always there (RFC 6960 section 2.4): such an answer is good for one day.
    let ends = match &single.next_update {
        Some(until) => at(until).is_some_and(|until| now.duration_since(until) <= skew),
        None => at(&single.this_update).is_some_and(|from| now.duration_since(from) <= SignedDuration::from_hours(24)),
    };
    began && ends
}
