//! How many packages of ten data sets are opened and checked a second, beside the same work written with OpenSSL: both open the
//! envelope, unpack, follow each certificate to the root, check each signature and each digest, and must find the same files.

use crate::support::envelope::{HEADER, seal};
use crate::support::package::{data_set_entries, outer_manifest};
use crate::support::pki::{AUTHORITY, Holder, Making, ROOT, make};
use crate::support::{CBC_IV, CLIENT_ID, SECRET_KEY, config, now, secret_key, zip::entry};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use exchange::mydata::Connector;
use openssl::aes::{AesKey, unwrap_key};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::{Signer, Verifier};
use openssl::stack::Stack;
use openssl::symm::{Cipher, decrypt};
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509, X509StoreContext};
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::time::{Duration, Instant};

/// Data sets of a package, packages made, bytes of a file.
const SETS: usize = 10;
const PACKAGES: usize = 16;
const CONTENT: usize = 4096;

/// Content by data set and file.
type Files = BTreeMap<(String, String), Vec<u8>>;

fn packed(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer
            .start_file(name.as_str(), ::zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A file that packs about as well as a register's JSON.
fn content(package: usize, set: usize) -> Vec<u8> {
    let mut text = String::from("[");
    for line in 0.. {
        if text.len() >= CONTENT {
            break;
        }
        let number = (package * 7919 + set * 104_729 + line * 1_299_709) % 999_983;
        text.push_str(&format!(
            r#"{{"項目":"{line:03}","代號":"{number:06}","內容":"臺中市西區民權路{number}號"}},"#
        ));
    }
    text.push_str("{}]");
    text.into_bytes()
}

fn package(number: usize, agencies: &[Holder]) -> Vec<u8> {
    let mut files = Vec::new();
    let ids: Vec<String> = (0..agencies.len()).map(|set| format!("API.register{set}")).collect();
    for (set, (id, agency)) in ids.iter().zip(agencies).enumerate() {
        let file = entry(&format!("register{set}.json"), content(number, set));
        let entries = data_set_entries(vec![file], agency, '/');
        let entries: Vec<_> = entries.into_iter().map(|one| (one.name, one.content)).collect();
        files.push((format!("{id}.zip"), packed(&entries)));
    }
    let lines: Vec<(&str, u16)> = ids.iter().map(|id| (id.as_str(), 200)).collect();
    files.push(("META-INFO/manifest.xml".to_owned(), outer_manifest(&lines).into_bytes()));
    let data = STANDARD.encode(packed(&files));
    let payload = format!(r#"{{"filename":"{CLIENT_ID}.zip","data":"application/zip;data:{data}"}}"#);
    let (key, iv) = (SECRET_KEY.as_bytes(), CBC_IV.as_bytes());
    seal(
        HEADER,
        key.try_into().unwrap(),
        iv.try_into().unwrap(),
        payload.as_bytes(),
    )
    .into_bytes()
}

fn ours(connector: &Connector, envelope: &[u8]) -> Files {
    let opened = connector.open(envelope, &secret_key(), now()).unwrap();
    let mut found = Files::new();
    for set in opened.resources {
        assert!(set.signer.is_some());
        for (name, content) in set.files {
            found.insert((set.resource_id.clone(), name), content);
        }
    }
    found
}

fn unpacked(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ::zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let files = (0..archive.len()).map(|at| {
        let mut file = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        (file.name().unwrap().into_owned(), content)
    });
    files.collect()
}

/// The texts of an element, wherever it stands.
fn texts<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let parts = xml.split(open.as_str()).skip(1);
    parts
        .filter_map(|part| Some(part.split_once(close.as_str())?.0))
        .collect()
}

/// The government's root, at the time of the tests.
fn anchors() -> X509Store {
    let mut param = X509VerifyParam::new().unwrap();
    param.set_time(now().as_second());
    let mut builder = X509StoreBuilder::new().unwrap();
    builder.add_cert(ROOT.certificate.clone()).unwrap();
    builder.set_param(&param).unwrap();
    builder.build()
}

/// The same by OpenSSL.
fn rival(anchors: &X509Store, between: &Stack<X509>, envelope: &[u8]) -> Files {
    let text = std::str::from_utf8(envelope).unwrap();
    let parts: Vec<&str> = text.split('.').collect();
    let [header, wrapped, iv, sealed, tag] = parts.as_slice() else {
        panic!("five parts")
    };
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let mut key = [0_u8; 64];
    let wrapping = AesKey::new_decrypt(SECRET_KEY.as_bytes()).unwrap();
    unwrap_key(&wrapping, None, &mut key, &part(wrapped)).unwrap();
    let hmac = PKey::hmac(&key[..32]).unwrap();
    let mut signer = Signer::new(MessageDigest::sha512(), &hmac).unwrap();
    let bits = (header.len() as u64 * 8).to_be_bytes();
    let (iv, sealed) = (part(iv), part(sealed));
    for piece in [header.as_bytes(), &iv, &sealed, &bits] {
        signer.update(piece).unwrap();
    }
    assert!(openssl::memcmp::eq(&signer.sign_to_vec().unwrap()[..32], &part(tag)));
    let payload = decrypt(Cipher::aes_256_cbc(), &key[32..], Some(&iv), &sealed).unwrap();
    let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    let data = payload["data"].as_str().unwrap();
    let outer = unpacked(
        &STANDARD
            .decode(data.strip_prefix("application/zip;data:").unwrap())
            .unwrap(),
    );
    let mut found = Files::new();
    let manifest = std::str::from_utf8(&outer["META-INFO/manifest.xml"]).unwrap();
    for id in texts(manifest, "resource_id") {
        let mut inner = unpacked(&outer[&format!("{id}.zip")]);
        let certificate = X509::from_der(&inner["META-INFO/certificate.cer"]).unwrap();
        let mut context = X509StoreContext::new().unwrap();
        assert!(
            context
                .init(anchors, &certificate, between, |context| context.verify_cert())
                .unwrap()
        );
        let key = certificate.public_key().unwrap();
        let manifest = inner["META-INFO/manifest.xml"].clone();
        let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
        verifier.update(&manifest).unwrap();
        assert!(verifier.verify(&inner["META-INFO/manifest.sha256withrsa"]).unwrap());
        let manifest = std::str::from_utf8(&manifest).unwrap();
        for (name, digest) in texts(manifest, "filename").into_iter().zip(texts(manifest, "digest")) {
            let content = inner.remove(name).unwrap();
            assert_eq!(openssl::sha::sha256(&content).as_slice(), hex::decode(digest).unwrap());
            found.insert((id.to_owned(), name.to_owned()), content);
        }
    }
    found
}

/// Packages a second on all cores.
fn rate(seconds: u64, packages: &[Vec<u8>], open: impl Fn(&[u8]) -> Files + Sync) -> f64 {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (begun, length) = (Instant::now(), Duration::from_secs(seconds));
    let done: usize = std::thread::scope(|scope| {
        let one = |thread: usize| {
            let open = &open;
            scope.spawn(move || {
                let turns = packages.iter().cycle().skip(thread);
                turns
                    .take_while(|_| begun.elapsed() < length)
                    .map(|package| assert_eq!(open(package).len(), SETS))
                    .count()
            })
        };
        let running: Vec<_> = (0..threads).map(one).collect();
        running.into_iter().map(|one| one.join().unwrap()).sum()
    });
    done as f64 / begun.elapsed().as_secs_f64()
}

#[test]
#[ignore = "a measurement: run it alone, with --nocapture"]
fn packages_of_ten_data_sets_a_second() {
    let seconds = std::env::var("SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5);
    let agencies: Vec<Holder> = (0..SETS)
        .map(|number| {
            let making = Making {
                organisation: &format!("第{number}機關"),
                ..Making::default()
            };
            make(&making, Some(&AUTHORITY))
        })
        .collect();
    let packages: Vec<Vec<u8>> = (0..PACKAGES).map(|number| package(number, &agencies)).collect();
    let mut trusting = config(&ROOT.pem());
    trusting.intermediates = AUTHORITY.pem();
    let connector = Connector::new(trusting).unwrap();
    let anchors = anchors();
    let mut between = Stack::new().unwrap();
    between.push(AUTHORITY.certificate.clone()).unwrap();
    let equal = packages
        .iter()
        .all(|one| ours(&connector, one) == rival(&anchors, &between, one));
    let own = rate(seconds, &packages, |one| ours(&connector, one));
    let openssl = rate(seconds, &packages, |one| rival(&anchors, &between, one));
    let bytes = packages.iter().map(Vec::len).sum::<usize>() / PACKAGES;
    println!(
        "{}",
        serde_json::json!({ "equal": equal, "packages_per_s": own, "openssl_packages_per_s": openssl, "package_bytes": bytes })
    );
}
