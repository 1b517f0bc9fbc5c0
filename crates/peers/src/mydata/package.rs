//! Packages: each data set a signed ZIP, all of them in one.

use super::{Faults, Shared};
use crate::Resource;
use crate::html::escape;
use crate::keys::Signer;
use async_zip::base::write::ZipFileWriter;
use async_zip::{Compression, ZipEntryBuilder};
use openssl::hash::MessageDigest;
use openssl::sha::sha256;
use std::fmt::Write;

/// The outer ZIP for a person, and whether any data set failed.
pub async fn make(
    shared: &Shared,
    national_id: &str,
    resources: &[String],
    faults: &Faults,
) -> Option<(Vec<u8>, Vec<String>)> {
    let mut manifest = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<files>\n");
    let mut files = Vec::new();
    let mut failed = Vec::new();
    for id in resources {
        let resource = shared.resource(id)?;
        let code = if faults.unavailable.contains(id) {
            failed.push(id.clone());
            403
        } else {
            match shared.population.data_set(national_id, id) {
                Some(content) => {
                    files.push((
                        format!("{id}.zip"),
                        data_set(shared, resource, &content.to_string(), faults).await?,
                    ));
                    200
                }
                None => 204,
            }
        };
        let _ = writeln!(
            manifest,
            "<file><filename>{id}.zip</filename><resource_id>{id}</resource_id><resource_name>{}</resource_name><code>{code}</code></file>",
            escape(&resource.title)
        );
    }
    manifest.push_str("</files>\n");
    if !failed.is_empty() {
        files.clear(); // if any data set failed, the package holds no data at all
    }
    files.push(("META-INFO/manifest.xml".to_owned(), manifest.into_bytes()));
    Some((zip(&files).await?, failed))
}

async fn data_set(shared: &Shared, resource: &Resource, content: &str, faults: &Faults) -> Option<Vec<u8>> {
    let signer = if faults.expired {
        &shared.keys.expired
    } else {
        shared.keys.signers.get(&resource.agency)?
    };
    let mut content = content.as_bytes().to_vec();
    if faults.bomb {
        content.resize(80 << 20, b' ');
    }
    let digest: String = sha256(&content).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let manifest = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<files><file><filename>{}</filename><digest>{digest}</digest></file></files>\n",
        escape(&resource.file)
    );
    if faults.altered {
        content.push(b' ');
    }
    let signature = sign(signer, manifest.as_bytes())?;
    zip(&[
        (resource.file.clone(), content),
        ("META-INFO/manifest.xml".to_owned(), manifest.into_bytes()),
        ("META-INFO/manifest.sha256withrsa".to_owned(), signature),
        (
            "META-INFO/certificate.cer".to_owned(),
            signer.certificate.to_der().ok()?,
        ),
    ])
    .await
}

fn sign(signer: &Signer, message: &[u8]) -> Option<Vec<u8>> {
    openssl::sign::Signer::new(MessageDigest::sha256(), &signer.key)
        .ok()?
        .sign_oneshot_to_vec(message)
        .ok()
}

async fn zip(files: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = ZipFileWriter::new(&mut bytes);
    for (name, content) in files {
        let entry = ZipEntryBuilder::new(name.clone().into(), Compression::Deflate);
        writer.write_entry_whole(entry, content).await.ok()?;
    }
    writer.close().await.ok()?;
    Some(bytes)
}
