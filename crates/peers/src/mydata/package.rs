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

/// The outer ZIP for a person, and which data sets failed.
pub async fn make(
    shared: &Shared,
    national_id: &str,
    resources: &[String],
    faults: &Faults,
) -> Option<(Vec<u8>, Vec<String>)> {
    let mut results = Vec::new();
    for id in resources {
        let resource = shared.resource(id)?;
        let result = if faults.unavailable.contains(id) {
            Err(403)
        } else if let Some(content) = shared.population.data_set(national_id, id) {
            Ok(Some(data_set(shared, resource, &content.to_string(), faults).await?))
        } else {
            Ok(None)
        };
        results.push((resource, result));
    }
    let failed = results.iter().filter(|(_, result)| result.is_err());
    let failed = failed.map(|(resource, _)| resource.id.clone()).collect();
    Some((zip(&outer(results)).await?, failed))
}

/// What an agency gave: its ZIP, nothing (204), or a failing status.
type Given = Result<Option<Vec<u8>>, u16>;

/// The files of the outer ZIP. If any data set failed, it holds no data at all.
fn outer(results: Vec<(&Resource, Given)>) -> Vec<(String, Vec<u8>)> {
    let mut manifest = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<files>\n");
    let mut files = Vec::new();
    let has_failed = results.iter().any(|(_, result)| result.is_err());
    for (resource, result) in results {
        let name = format!("{}.zip", resource.id);
        let code = match &result {
            Ok(Some(_)) => 200,
            Ok(None) => 204,
            Err(code) => *code,
        };
        let _ = writeln!(
            manifest,
            "<file><filename>{name}</filename><resource_id>{}</resource_id><resource_name>{}</resource_name><code>{code}</code></file>",
            resource.id,
            escape(&resource.title)
        );
        if let Ok(Some(content)) = result
            && !has_failed
        {
            files.push((name, content));
        }
    }
    manifest.push_str("</files>\n");
    files.push(("META-INFO/manifest.xml".to_owned(), manifest.into_bytes()));
    files
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
    let slash = if faults.backslash { '\\' } else { '/' };
    let meta = |name: &str| format!("META-INFO{slash}{name}");
    zip(&[
        (resource.file.clone(), content),
        (meta("manifest.xml"), manifest.into_bytes()),
        (meta("manifest.sha256withrsa"), signature),
        (meta("certificate.cer"), signer.certificate.to_der().ok()?),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_with_a_failure_holds_the_manifest_alone() {
        let resource = |id: &str| Resource {
            id: id.to_owned(),
            title: "<所得>".to_owned(),
            agency: String::new(),
            file: String::new(),
            immediate: true,
        };
        let (good, empty, bad) = (resource("API.A"), resource("API.B"), resource("API.C"));
        let names = |results| -> Vec<String> { outer(results).into_iter().map(|(name, _)| name).collect() };
        let well = || vec![(&good, Ok(Some(vec![1]))), (&empty, Ok(None))];
        assert_eq!(names(well()), ["API.A.zip", "META-INFO/manifest.xml"]);
        let mut ill = well();
        ill.push((&bad, Err(403)));
        assert_eq!(names(ill.clone()), ["META-INFO/manifest.xml"]);
        let manifest = outer(ill)
            .pop()
            .map(|(_, content)| String::from_utf8_lossy(&content).into_owned());
        assert_eq!(
            manifest.unwrap_or_default(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<files>\n\
             <file><filename>API.A.zip</filename><resource_id>API.A</resource_id><resource_name>&lt;所得&gt;</resource_name><code>200</code></file>\n\
             <file><filename>API.B.zip</filename><resource_id>API.B</resource_id><resource_name>&lt;所得&gt;</resource_name><code>204</code></file>\n\
             <file><filename>API.C.zip</filename><resource_id>API.C</resource_id><resource_name>&lt;所得&gt;</resource_name><code>403</code></file>\n\
             </files>\n"
        );
    }
}
