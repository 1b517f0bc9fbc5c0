//! A data set as the city packs it: its files, held against the manifest, the signature and the government root, by OpenSSL.

use async_zip::base::read::mem::ZipFileReader;
use openssl::hash::MessageDigest;
use openssl::sha::sha256;
use openssl::sign::Verifier;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509StoreContext};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::BTreeMap;

const META: &str = "META-INFO";

/// The files of a data set by name, without those of the meta folder.
pub async fn open(zip: Vec<u8>, root: &str) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut files = unzip(zip).await?;
    let mut meta = |name: &str| {
        files
            .remove(&format!("{META}/{name}"))
            .ok_or_else(|| format!("沒有 {name}"))
    };
    let (manifest, signature, certificate) = (
        meta("manifest.xml")?,
        meta("manifest.sha256withrsa")?,
        meta("certificate.cer")?,
    );
    is_signed(&manifest, &signature, &certificate, root)?;
    let listed = digests(&manifest)?;
    if listed.len() != files.len() {
        return Err("檔案和清單不一樣多".to_owned());
    }
    for (name, content) in &files {
        let digest: String = sha256(content).iter().map(|byte| format!("{byte:02x}")).collect();
        if listed.get(name).map(|one| one.to_ascii_lowercase()) != Some(digest) {
            return Err(format!("{name} 的雜湊值不對"));
        }
    }
    Ok(files)
}

async fn unzip(zip: Vec<u8>) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let reader = ZipFileReader::new(zip).await.map_err(|error| error.to_string())?;
    let mut files = BTreeMap::new();
    for place in 0..reader.file().entries().len() {
        let mut entry = reader
            .reader_with_entry(place)
            .await
            .map_err(|error| error.to_string())?;
        let name = entry
            .entry()
            .filename()
            .as_str()
            .map_err(|error| error.to_string())?
            .to_owned();
        let mut content = Vec::new();
        entry
            .read_to_end_checked(&mut content)
            .await
            .map_err(|error| error.to_string())?;
        files.insert(name, content);
    }
    Ok(files)
}

fn is_signed(manifest: &[u8], signature: &[u8], certificate: &[u8], root: &str) -> Result<(), String> {
    let check = || -> Result<(bool, bool), openssl::error::ErrorStack> {
        let certificate = X509::from_der(certificate)?;
        let key = certificate.public_key()?;
        let signed = Verifier::new(MessageDigest::sha256(), &key)?.verify_oneshot(signature, manifest)?;
        let mut store = X509StoreBuilder::new()?;
        store.add_cert(X509::from_pem(root.as_bytes())?)?;
        let (store, chain) = (store.build(), Stack::new()?);
        let known = X509StoreContext::new()?.init(&store, &certificate, &chain, |context| context.verify_cert())?;
        Ok((signed, known))
    };
    match check() {
        Ok((true, true)) => Ok(()),
        Ok((false, _)) => Err("簽章不對".to_owned()),
        Ok((true, false)) => Err("憑證不是政府機關憑證".to_owned()),
        Err(_) => Err("憑證或簽章不能讀".to_owned()),
    }
}

/// Digest by file name.
fn digests(manifest: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let text = std::str::from_utf8(manifest).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(text);
    let (mut found, mut element, mut name) = (BTreeMap::new(), String::new(), String::new());
    let mut held = String::new();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                element = start.local_name().as_ref().to_owned();
                held.clear();
            }
            Event::Text(text) => held.push_str(&text),
            Event::GeneralRef(entity) => {
                held.push_str(match &*entity {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    "apos" => "'",
                    _ => return Err("清單裡有不認得的字元".to_owned()),
                });
            }
            Event::End(_) => {
                match element.as_str() {
                    "filename" => name = std::mem::take(&mut held),
                    "digest" => drop(found.insert(std::mem::take(&mut name), std::mem::take(&mut held))),
                    _ => {}
                }
                element.clear();
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}
