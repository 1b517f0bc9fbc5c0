//! Packages as the platform and the agencies make them.

use super::envelope::{HEADER, seal};
use super::pki::{AGENCY, Holder};
use super::zip::{Entry, entry, zip};
use super::{CBC_IV, CLIENT_ID, SECRET_KEY};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::sha::sha256;
use std::fmt::Write;

/// The data set that most tests ask for.
pub const RESOURCE: &str = "API.household1";
/// Its file.
pub const FILE: &str = "household.json";
/// The file's content.
pub const CONTENT: &[u8] = br#"{"name":"\u738b\u5c0f\u660e"}"#;

/// The manifest of some files.
pub fn manifest(files: &[Entry]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<files>\n");
    for file in files {
        let digest = hex::encode_upper(sha256(&file.content));
        writeln!(
            text,
            "<file><filename>{}</filename><digest>{digest}</digest></file>",
            file.name
        )
        .unwrap();
    }
    text.push_str("</files>");
    text
}

/// The entries of a data set's ZIP, signed by `holder`; `slash` is the one between folder and file.
pub fn data_set_entries(files: Vec<Entry>, holder: &Holder, slash: char) -> Vec<Entry> {
    let manifest = manifest(&files);
    let mut entries = files;
    entries.push(entry(
        &format!("META-INFO{slash}manifest.sha256withrsa"),
        holder.sign(manifest.as_bytes()),
    ));
    entries.push(entry(&format!("META-INFO{slash}certificate.cer"), holder.der()));
    entries.push(entry(&format!("META-INFO{slash}manifest.xml"), manifest));
    entries
}

/// The usual data set, signed by `holder`.
pub fn data_set(holder: &Holder) -> Vec<u8> {
    zip(&data_set_entries(vec![entry(FILE, CONTENT)], holder, '/'))
}

/// The outer manifest of (data set, code).
pub fn outer_manifest(lines: &[(&str, u16)]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><files>");
    for (id, code) in lines {
        write!(
            text,
            "<file><filename>{id}.zip</filename><resource_id>{id}</resource_id>\
             <resource_name>戶籍資料</resource_name><code>{code}</code></file>"
        )
        .unwrap();
    }
    text.push_str("</files>");
    text
}

/// The outer ZIP with one data set.
pub fn outer(data_set: Vec<u8>) -> Vec<u8> {
    zip(&[
        entry(&format!("{RESOURCE}.zip"), data_set),
        entry("META-INFO/manifest.xml", outer_manifest(&[(RESOURCE, 200)])),
    ])
}

/// The envelope around an outer ZIP.
pub fn envelope(outer: &[u8]) -> Vec<u8> {
    envelope_named(&format!("{CLIENT_ID}.zip"), "application/zip;data:", outer)
}

/// The envelope with other words in its payload.
pub fn envelope_named(filename: &str, prefix: &str, outer: &[u8]) -> Vec<u8> {
    let payload = format!(
        r#"{{"filename":"{filename}","data":"{prefix}{}"}}"#,
        STANDARD.encode(outer)
    );
    let key = SECRET_KEY.as_bytes().try_into().unwrap();
    seal(HEADER, key, CBC_IV.as_bytes().try_into().unwrap(), payload.as_bytes()).into_bytes()
}

/// The usual package.
pub fn package() -> Vec<u8> {
    envelope(&outer(data_set(&AGENCY)))
}
