//! The ASN.1 structures of RFC 3161 and RFC 5035 that the CMS library does not have.

use der::Sequence;
use der::asn1::{Any, BitString, Int, ObjectIdentifier, OctetString};
use der::{Tag, Tagged};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::spki::AlgorithmIdentifierOwned;

/// `ESSCertIDv2` (RFC 5035) with SHA-256, its default.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct EssCertIdV2 {
    /// SHA-256 of the certificate.
    pub cert_hash: OctetString,
}

/// `SigningCertificateV2` (RFC 5035).
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct SigningCertificateV2 {
    /// The signer's certificate first.
    pub certs: Vec<EssCertIdV2>,
}

/// `MessageImprint` (RFC 3161).
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct MessageImprint {
    /// Hash.
    pub hash_algorithm: AlgorithmIdentifierOwned,
    /// Its value.
    pub hashed_message: OctetString,
}

/// `TimeStampReq` (RFC 3161) without extensions.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct TimeStampReq {
    /// 1.
    pub version: u8,
    /// What is to be stamped.
    pub message_imprint: MessageImprint,
    /// The policy wanted.
    #[asn1(optional = "true")]
    pub req_policy: Option<ObjectIdentifier>,
    /// A number used once.
    #[asn1(optional = "true")]
    pub nonce: Option<Int>,
    /// Whether the authority's certificate is to be in the token.
    #[asn1(default = "Default::default")]
    pub cert_req: bool,
}

/// `PKIStatusInfo` (RFC 3161). Its text is not read.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct PkiStatusInfo {
    /// 0 and 1 mean granted.
    pub status: u8,
    /// A text for people.
    #[asn1(optional = "true")]
    pub status_string: Option<Vec<Any>>,
    /// Why not.
    #[asn1(optional = "true")]
    pub fail_info: Option<BitString>,
}

/// `TimeStampResp` (RFC 3161).
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct TimeStampResp {
    /// Whether it was granted.
    pub status: PkiStatusInfo,
    /// The token: a CMS `ContentInfo`.
    #[asn1(optional = "true")]
    pub time_stamp_token: Option<Any>,
}

/// `Accuracy` (RFC 3161).
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct Accuracy {
    /// Seconds.
    #[asn1(optional = "true")]
    pub seconds: Option<u64>,
    /// Milliseconds.
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub millis: Option<u16>,
    /// Microseconds.
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub micros: Option<u16>,
}

/// `TSTInfo` (RFC 3161).
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct TstInfo {
    /// 1.
    pub version: u8,
    /// The authority's policy.
    pub policy: ObjectIdentifier,
    /// What was stamped.
    pub message_imprint: MessageImprint,
    /// Serial number of the token.
    pub serial_number: Int,
    /// When: a `GeneralizedTime`, which may have a fraction of a second here; [`TstInfo::time`] reads it.
    pub gen_time: Any,
    /// How exact.
    #[asn1(optional = "true")]
    pub accuracy: Option<Accuracy>,
    /// Whether tokens of one authority are in order.
    #[asn1(default = "Default::default")]
    pub ordering: bool,
    /// The number of the request.
    #[asn1(optional = "true")]
    pub nonce: Option<Int>,
    /// The authority.
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub tsa: Option<GeneralName>,
    /// Extensions.
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub extensions: Option<Extensions>,
}

impl TstInfo {
    /// The authority's time (RFC 3161 §2.4.2): `YYYYMMDDhhmmss[.s…]Z`. None for what is no such time.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        if self.gen_time.tag() != Tag::GeneralizedTime {
            return None;
        }
        let text = str::from_utf8(self.gen_time.value()).ok()?.strip_suffix('Z')?;
        let (whole, fraction) = match text.split_once('.') {
            None => (text, ""),
            // in its one form a fraction is neither empty nor ended by a zero
            Some((_, fraction)) if fraction.is_empty() || fraction.ends_with('0') || fraction.len() > 9 => return None,
            Some(parts) => parts,
        };
        if whole.len() != 14 || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = |from: usize, to: usize| whole.get(from..to)?.parse::<i8>().ok();
        let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
        let year = whole.get(..4)?.parse().ok()?;
        let time = DateTime::new(
            year,
            number(4, 6)?,
            number(6, 8)?,
            number(8, 10)?,
            number(10, 12)?,
            number(12, 14)?,
            nanoseconds,
        );
        Offset::UTC.to_timestamp(time.ok()?).ok()
    }
}
