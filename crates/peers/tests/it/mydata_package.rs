//! The envelope and the package (reference page, 2.6 and 2.7), opened by other libraries than made them.

use crate::support::{HAO, HOUSEHOLD, INCOME, MEI, WAIT, World};
use josekit::jwe::{A256KW, deserialize_compact};
use openssl::base64::decode_block;
use peers::Faults;
use quick_xml::Reader;
use quick_xml::events::Event;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::time::Duration;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, ring};

/// The files of a ZIP by the names it gives them.
type Files = BTreeMap<String, Vec<u8>>;

fn unzip(bytes: &[u8]) -> Files {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let files = (0..archive.len()).map(|at| {
        let mut file = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        (file.name().unwrap().into_owned(), content)
    });
    files.collect()
}

/// The elements of each `file` of a manifest.
fn manifest(xml: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = Reader::from_str(std::str::from_utf8(xml).unwrap());
    let (mut files, mut name, mut path) = (Vec::new(), String::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                name = start.local_name().as_ref().to_owned();
                path.push(name.clone());
                if path == ["files", "file"] {
                    files.push(BTreeMap::<String, String>::new());
                }
            }
            Event::Text(text) if path.len() == 3 => {
                files
                    .last_mut()
                    .unwrap()
                    .entry(name.clone())
                    .or_default()
                    .push_str(&text);
            }
            Event::GeneralRef(reference) if &*reference == "amp" => {
                files.last_mut().unwrap().entry(name.clone()).or_default().push('&');
            }
            Event::End(_) => {
                path.pop();
            }
            Event::Eof => return files,
            _ => {}
        }
    }
}

/// The fetched envelope and the key of its notification.
async fn fetched(world: &World, national_id: &str, resources: &[&str]) -> (String, String) {
    world.agreed(&world.asked(national_id, resources)).await;
    world.pass(i64::try_from(WAIT).unwrap() + 65);
    let notice = world.city.notices().last().unwrap().clone();
    let reply = world.fetch(&notice).await;
    assert_eq!(reply.status, 200);
    let key = notice["secret_key"]
        .as_str()
        .map(|key| world.open(key))
        .unwrap_or_default();
    (reply.text(), key)
}

fn opened(envelope: &str, key: &str) -> Value {
    let decrypter = A256KW.decrypter_from_bytes(key.as_bytes()).unwrap();
    let (payload, _) = deserialize_compact(envelope, &decrypter).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

fn package(payload: &Value) -> Files {
    let data = payload["data"].as_str().unwrap();
    unzip(&decode_block(data.strip_prefix("application/zip;data:").unwrap()).unwrap())
}

async fn files(world: &World, national_id: &str, resources: &[&str]) -> Files {
    let (envelope, key) = fetched(world, national_id, resources).await;
    package(&opened(&envelope, &key))
}

fn part(envelope: &str, at: usize) -> Vec<u8> {
    let part = envelope.split('.').nth(at).unwrap().replace('-', "+").replace('_', "/");
    decode_block(&format!("{part}{}", "=".repeat((4 - part.len() % 4) % 4))).unwrap()
}

/// "The platform sets the IV to the service's `cbc_iv` (the CEK is random)."
#[tokio::test]
async fn the_envelope_has_the_services_vector_and_a_random_key() {
    let world = World::new().await;
    let (first, key) = fetched(&world, MEI, &[HOUSEHOLD]).await;
    let (second, _) = fetched(&world, MEI, &[HOUSEHOLD]).await;
    for envelope in [&first, &second] {
        assert_eq!(envelope.split('.').count(), 5);
        let head: Value = serde_json::from_slice(&part(envelope, 0)).unwrap();
        assert_eq!(head, json!({ "alg": "A256KW", "enc": "A256CBC-HS512" }));
        assert_eq!(part(envelope, 2), world.peers.mydata.cbc_iv.as_bytes());
        assert_eq!(
            (part(envelope, 1).len(), part(envelope, 4).len()),
            (72, 32),
            "64 octets wrapped; half of SHA-512"
        );
    }
    assert_ne!(
        part(&first, 3),
        part(&second, 3),
        "the same data under the same vector: another content key"
    );
    let payload = opened(&first, &key);
    assert_eq!(
        payload["filename"],
        json!(format!("{}.zip", world.peers.mydata.client_id))
    );
    assert_eq!(payload.as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn the_outer_package_lists_each_data_set_with_its_code() {
    let world = World::new().await;
    for (who, code) in [(MEI, "200"), (HAO, "204")] {
        let files = files(&world, who, &[HOUSEHOLD, INCOME]).await;
        let listed = manifest(&files["META-INFO/manifest.xml"]);
        let said: Vec<_> = listed
            .iter()
            .map(|file| (file["resource_id"].as_str(), file["code"].as_str()))
            .collect();
        assert_eq!(said, [(HOUSEHOLD, "200"), (INCOME, code)]);
        assert_eq!(listed[0]["filename"], format!("{HOUSEHOLD}.zip"));
        assert_eq!(listed[0]["resource_name"], "戶籍 & 資料");
        assert!(files.contains_key(&format!("{HOUSEHOLD}.zip")));
        assert_eq!(files.contains_key(&format!("{INCOME}.zip")), code == "200");
    }
}

/// Signature and chain by webpki and ring, the digest by the manifest.
#[tokio::test]
async fn a_data_set_is_signed_by_its_agency_under_the_government_root() {
    let world = World::new().await;
    let outer = files(&world, MEI, &[HOUSEHOLD, INCOME]).await;
    for id in [HOUSEHOLD, INCOME] {
        let inner = unzip(&outer[&format!("{id}.zip")]);
        let listed = manifest(&inner["META-INFO/manifest.xml"]);
        assert_eq!((listed.len(), inner.len()), (1, 4));
        let content = &inner[&listed[0]["filename"]];
        assert_eq!(
            serde_json::from_slice::<Value>(content).unwrap(),
            json!({ "of": id, "id": MEI })
        );
        assert_eq!(listed[0]["digest"], hex(&openssl::sha::sha256(content)));
        let certificate = CertificateDer::from(inner["META-INFO/certificate.cer"].as_slice());
        let signer = EndEntityCert::try_from(&certificate).unwrap();
        let signature = &inner["META-INFO/manifest.sha256withrsa"];
        let message = &inner["META-INFO/manifest.xml"];
        signer
            .verify_signature(ring::RSA_PKCS1_2048_8192_SHA256, message, signature)
            .unwrap();
        assert!(chain(&world, &certificate).is_ok());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks the certificate against the root that the city is told.
fn chain(world: &World, certificate: &CertificateDer) -> Result<(), webpki::Error> {
    let root = CertificateDer::from_pem_slice(world.peers.mydata.government_root.as_bytes()).unwrap();
    let anchors = [anchor_from_trusted_cert(&root).unwrap()];
    let now = UnixTime::since_unix_epoch(Duration::from_secs(
        u64::try_from(world.clock_at_start().as_second()).unwrap(),
    ));
    let signer = EndEntityCert::try_from(certificate).unwrap();
    let algorithms = &[ring::RSA_PKCS1_2048_8192_SHA256];
    signer
        .verify_for_usage(algorithms, &anchors, &[], now, KeyUsage::client_auth(), None, None)
        .map(|_| ())
}

/// "If any data set failed, the outer ZIP holds only the manifest, no data at all." The key is not sent, so from outside only
/// the size tells; what the manifest says is tested where it is written.
#[tokio::test]
async fn a_package_with_a_failure_holds_no_data() {
    let world = World::new().await;
    let whole = fetched(&world, MEI, &[HOUSEHOLD, INCOME]).await.0;
    world.peers.misbehave(Faults {
        unavailable: vec![INCOME.to_owned()],
        ..Faults::default()
    });
    let (envelope, key) = fetched(&world, MEI, &[HOUSEHOLD, INCOME]).await;
    assert_eq!(key, "", "no key was sent");
    assert!(
        envelope.len() * 3 < whole.len(),
        "{} of {}",
        envelope.len(),
        whole.len()
    );
}

/// One agency writes its names with a backslash.
#[tokio::test]
async fn an_agency_may_write_its_names_with_a_backslash() {
    let world = World::with(Faults {
        backslash: true,
        ..Faults::default()
    })
    .await;
    let outer = files(&world, MEI, &[HOUSEHOLD]).await;
    assert!(
        outer.contains_key("META-INFO/manifest.xml"),
        "the outer package is the platform's"
    );
    let inner = unzip(&outer[&format!("{HOUSEHOLD}.zip")]);
    let names: Vec<_> = inner
        .keys()
        .map(String::as_str)
        .filter(|name| name.starts_with("META"))
        .collect();
    assert_eq!(
        names,
        [
            "META-INFO\\certificate.cer",
            "META-INFO\\manifest.sha256withrsa",
            "META-INFO\\manifest.xml"
        ]
    );
}

/// A fault is the one that is named and no other.
#[tokio::test]
async fn the_faults_of_a_package_are_as_they_are_named() {
    let id = format!("{HOUSEHOLD}.zip");
    let altered = World::with(Faults {
        altered: true,
        ..Faults::default()
    })
    .await;
    let inner = unzip(&files(&altered, MEI, &[HOUSEHOLD]).await[&id]);
    let listed = manifest(&inner["META-INFO/manifest.xml"]);
    assert_ne!(
        listed[0]["digest"],
        hex(&openssl::sha::sha256(&inner[&listed[0]["filename"]]))
    );

    let expired = World::with(Faults {
        expired: true,
        ..Faults::default()
    })
    .await;
    let inner = unzip(&files(&expired, MEI, &[HOUSEHOLD]).await[&id]);
    let certificate = CertificateDer::from(inner["META-INFO/certificate.cer"].as_slice());
    assert!(matches!(
        chain(&expired, &certificate),
        Err(webpki::Error::CertExpired { .. })
    ));

    let wrong = World::with(Faults {
        wrong_key: true,
        ..Faults::default()
    })
    .await;
    let (envelope, key) = fetched(&wrong, MEI, &[HOUSEHOLD]).await;
    let decrypter = A256KW.decrypter_from_bytes(key.as_bytes()).unwrap();
    assert!(deserialize_compact(&envelope, &decrypter).is_err());

    let bomb = World::with(Faults {
        bomb: true,
        ..Faults::default()
    })
    .await;
    let outer = files(&bomb, MEI, &[HOUSEHOLD]).await;
    let sizes: Vec<_> = unzip(&outer[&id]).values().map(Vec::len).collect();
    assert!(
        outer[&id].len() < 1 << 20 && sizes.iter().any(|size| *size > 64 << 20),
        "{sizes:?}"
    );
}
