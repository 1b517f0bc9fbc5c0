//! The forms of the road as this member reads them: headers in one form, the statement, the manifest, the signed attributes.

use super::pki::Issued;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::sign::{Signer, Verifier};
use openssl::x509::X509;

/// Headers that belong to one connection, or are made by each program anew.
const LOCAL: [&str; 17] = [
    "connection",
    "content-length",
    "date",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-gateway-key",
    "x-road-signature",
];

/// A SHA-512 in hexadecimal.
pub fn hex_sha512(bytes: &[u8]) -> Result<String, ErrorStack> {
    Ok(hex(&hash(MessageDigest::sha512(), bytes)?))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The headers of a message: start line, then `name: value` sorted by name, each ended by CR LF.
pub fn headers(start: &str, all: &[(String, String)]) -> String {
    let mut kept: Vec<(String, &str)> = all
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .filter(|(name, _)| !LOCAL.contains(&name.as_str()))
        .collect();
    kept.sort_by(|one, other| one.0.cmp(&other.0));
    let mut text = format!("{start}\r\n");
    for (name, value) in kept {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text
}

/// What identifies an exchange in both statements.
#[derive(Clone, Default)]
pub struct About {
    pub client: String,
    pub service: String,
    pub id: String,
    pub request_id: String,
    pub method: String,
}

/// The statement a signature is over.
pub fn statement(
    kind: &str,
    about: &About,
    head: &str,
    body: &[u8],
    answer: Option<(u16, &str)>,
) -> Result<String, ErrorStack> {
    let body_hash = if body.is_empty() {
        "none".to_owned()
    } else {
        hex_sha512(body)?
    };
    statement_of(kind, about, head, &body_hash, body.len() as u64, answer)
}

/// The same for a body that is known by its hash.
pub fn statement_of(
    kind: &str,
    about: &About,
    head: &str,
    body_hash: &str,
    bytes: u64,
    answer: Option<(u16, &str)>,
) -> Result<String, ErrorStack> {
    let answer = answer.map_or_else(String::new, |(status, hash)| {
        format!("status: {status}\nrequest-hash: {hash}\n")
    });
    Ok(format!(
        "message of the road, form 1\nkind: {kind}\nclient: {}\nservice: {}\nid: {}\nrequest-id: {}\nmethod: {}\n\
         {answer}headers-sha512: {}\nbody-sha512: {body_hash}\nbody-bytes: {bytes}\n",
        about.client,
        about.service,
        about.id,
        about.request_id,
        about.method,
        hex_sha512(head.as_bytes())?
    ))
}

/// `X-Road-Request-Hash`.
pub fn request_hash(head: &str, body: &[u8]) -> Result<String, ErrorStack> {
    let of_head = hash(MessageDigest::sha512(), head.as_bytes())?;
    if body.is_empty() {
        return Ok(openssl::base64::encode_block(&of_head));
    }
    let of_body = hash(MessageDigest::sha512(), body)?;
    let both = [&*of_head, &*of_body].concat();
    Ok(openssl::base64::encode_block(&hash(MessageDigest::sha512(), &both)?))
}

fn manifest(kind: &str, statement: &str) -> Result<String, ErrorStack> {
    let digest = openssl::base64::encode_block(&hash(MessageDigest::sha512(), statement.as_bytes())?);
    Ok([
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
        "<asic:ASiCManifest xmlns:asic=\"http://uri.etsi.org/02918/v1.2.1#\"",
        " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">",
        &format!(
            "<asic:SigReference URI=\"META-INF/signature-{kind}.p7s\" MimeType=\"application/x-pkcs7-signature\"/>"
        ),
        &format!("<asic:DataObjectReference URI=\"{kind}.txt\" MimeType=\"text/plain\">"),
        "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha512\"/>",
        &format!("<ds:DigestValue>{digest}</ds:DigestValue>"),
        "</asic:DataObjectReference></asic:ASiCManifest>\n",
    ]
    .concat())
}

/// One DER element.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        length @ 0..=127 => out.push(length as u8),
        length @ 128..=255 => out.extend([0x81, length as u8]),
        length => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(content);
    out
}

fn attribute(oid: &[u8], value: &[u8]) -> Vec<u8> {
    der(0x30, &[der(0x06, oid), der(0x31, value)].concat())
}

/// The signed attributes of a CAdES signature, as DER SET OF.
fn attributes(manifest: &str, time: i64, certificate: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    const PKCS9: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09];
    let oid = |last: &[u8]| [&PKCS9, last].concat();
    let data = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
    let at = jiff::Timestamp::from_second(time).unwrap_or_default();
    let time = at.strftime("%y%m%d%H%M%SZ").to_string();
    let digest = hash(MessageDigest::sha256(), manifest.as_bytes())?;
    let certificate = der(0x30, &der(0x30, &der(0x30, &der(0x04, certificate))));
    let mut all = [
        attribute(&oid(&[0x03]), &der(0x06, &data)),
        attribute(&oid(&[0x05]), &der(0x17, time.as_bytes())),
        attribute(&oid(&[0x04]), &der(0x04, &digest)),
        attribute(&oid(&[0x10, 0x02, 0x2f]), &certificate),
    ];
    all.sort();
    Ok(der(0x31, &all.concat()))
}

/// Signs a statement; the value of the signature's header.
pub fn sign(signer: &Issued, kind: &str, statement: &str, time: i64) -> Result<String, ErrorStack> {
    let fingerprint = signer.certificate.digest(MessageDigest::sha256())?;
    let signed = attributes(&manifest(kind, statement)?, time, &fingerprint)?;
    let value = Signer::new(MessageDigest::sha256(), &signer.key)?.sign_oneshot_to_vec(&signed)?;
    Ok(format!(
        "t={time};cert={};sig={}",
        hex(&fingerprint),
        openssl::base64::encode_block(&value)
    ))
}

/// Whether a header's signature is one of `certificate` over the statement.
pub fn verify(certificate: &X509, kind: &str, statement: &str, header: &str) -> Result<bool, ErrorStack> {
    let field = |name: &str| header.split(';').find_map(|part| part.strip_prefix(name));
    let (Some(time), Some(of), Some(value)) = (field("t="), field("cert="), field("sig=")) else {
        return Ok(false);
    };
    let fingerprint = certificate.digest(MessageDigest::sha256())?;
    let (Ok(time), true) = (time.parse(), of == hex(&fingerprint)) else {
        return Ok(false);
    };
    let signed = attributes(&manifest(kind, statement)?, time, &fingerprint)?;
    let key = certificate.public_key()?;
    let value = openssl::base64::decode_block(value)?;
    // a value that is no DER is a wrong signature, not a fault of the library
    Ok(Verifier::new(MessageDigest::sha256(), &key)?
        .verify_oneshot(&value, &signed)
        .unwrap_or(false))
}
