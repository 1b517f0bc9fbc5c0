//! One exchange taken out as an ASiC-E container, and verified with other tools than made it: Python's zipfile, OpenSSL's
//! `cms` and `ts`, and a script of a page.

use crate::support::{City, Wishes, ours};
use hyper::StatusCode;
use openssl::symm::Cipher;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use troad::directory::Keep;
use troad::evidence::{EvidenceError, Unseal, containers};
use troad::log::Filter;

/// Unpacks a container, and checks what can be checked without our code.
const VERIFY: &str = r#"
import base64, hashlib, json, re, subprocess, sys, zipfile
container, root, into, side = sys.argv[1:5]
archive = zipfile.ZipFile(container)
assert archive.testzip() is None
first = archive.infolist()[0]
assert first.filename == "mimetype" and first.compress_type == zipfile.ZIP_STORED and first.extra == b""
assert archive.read("mimetype") == b"application/vnd.etsi.asic-e+zip"
archive.extractall(into)
names = set(archive.namelist())

def covered(word):
    manifest = archive.read(f"META-INF/ASiCManifest-{word}.xml").decode()
    name = re.search(r'DataObjectReference URI="([^"]+)"', manifest)[1]
    digest = re.search(r"<ds:DigestValue>([^<]+)<", manifest)[1]
    assert base64.b64encode(hashlib.sha512(archive.read(name)).digest()).decode() == digest, name
    return name

def openssl(*arguments):
    ran = subprocess.run(["openssl", *arguments], capture_output=True, cwd=into, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr

for word in ("request", "response"):
    assert covered(word) == f"{word}.txt"
    said = openssl("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", f"META-INF/signature-{word}.p7s",
                   "-content", f"META-INF/ASiCManifest-{word}.xml", "-CAfile", root, "-purpose", "any", "-out", "content.out")
    assert "Verification successful" in said, said
    statement = archive.read(f"{word}.txt").decode()
    record = json.loads(archive.read("record.json"))["entry"]["m"]
    assert f"headers-sha512: {record[word]['headers']}\n" in statement
    for name, line in ((f"{word}-headers.txt", "headers-sha512"), (f"{word}-body.bin", "body-sha512")):
        if name in names:
            assert f"{line}: {hashlib.sha512(archive.read(name)).hexdigest()}\n" in statement, name

assert covered("timestamp") == "batch.txt"
said = openssl("ts", "-verify", "-token_in", "-in", "META-INF/timestamp.tst",
               "-data", "META-INF/ASiCManifest-timestamp.xml", "-CAfile", root)
assert "Verification: OK" in said, said
now = hashlib.sha256(b"\0" + archive.read("record.json")).digest()
for line in archive.read("path.txt").decode().splitlines():
    where, other = line.split()
    other = bytes.fromhex(other)
    now = hashlib.sha256(b"\1" + (other + now if where == "left" else now + other)).digest()
assert f"root: {now.hex()}\n" in archive.read("batch.txt").decode()
assert record["side"] == side
print(" ".join(sorted(names)))
"#;

fn verify(folder: &Path, container: &[u8], root: &str, side: &str) -> Result<String, String> {
    let into = tempfile::tempdir_in(folder).unwrap();
    let path = into.path().join("container.asice");
    std::fs::write(&path, container).unwrap();
    let root_path = into.path().join("root.pem");
    std::fs::write(&root_path, root).unwrap();
    let ran = Command::new("python3")
        .args(["-c", VERIFY])
        .args([&path, &root_path, &into.path().join("out")])
        .arg(side)
        .output()
        .unwrap();
    match ran.status.success() {
        true => Ok(String::from_utf8_lossy(&ran.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&ran.stderr).into_owned()),
    }
}

#[tokio::test]
async fn both_sides_evidence_is_verified_by_anybodys_tools() {
    let city = City::start().await;
    for _ in 0..6 {
        assert_eq!(
            city.get("household-registry/persons/A123456789").await.status,
            StatusCode::OK
        );
    }
    let message = city.road.message("POST", &ours(), "/echo", "內容".as_bytes());
    assert_eq!(city.road.call(city.outside(), &message).await.unwrap().status, 200);
    let all = city.gateway().recent(&Filter::default(), 10);
    let asked = all[3].1.id.clone();
    assert_eq!(
        containers(&city.log(), &asked, true, None),
        Err(EvidenceError::NotStamped)
    );
    assert_eq!(
        containers(&city.log(), "no-such", true, None),
        Err(EvidenceError::Unknown)
    );
    let unstamped = containers(&city.log(), &asked, false, None).unwrap();
    assert_eq!(unstamped.len(), 1);
    city.gateway().stamp().await.unwrap();
    let root = city.road.authority.root_pem();
    for (_, record) in &all {
        let made = containers(&city.log(), &record.id, true, None).unwrap();
        let side = format!("{:?}", record.side).to_lowercase();
        let names = verify(&city.folder, &made[0].bytes, &root, &side).unwrap();
        assert!(
            !names.contains("body.bin") && !names.contains("headers.txt"),
            "metadata only: {names}"
        );
        assert!(made[0].name.ends_with(".asice") && !made[0].has_content);
    }
    // the check can fail: another root, and a container changed in one byte
    let made = containers(&city.log(), &asked, true, None).unwrap().remove(0);
    let other = peers::road::Authority::new(&city.folder.join("other")).unwrap();
    assert!(verify(&city.folder, &made.bytes, &other.root_pem(), "consumer").is_err());
    let mut wrong = 0;
    for at in (0..made.bytes.len() * 9 / 10).step_by(made.bytes.len() / 12) {
        let mut bytes = made.bytes.clone();
        bytes[at] ^= 0x10;
        wrong += usize::from(verify(&city.folder, &bytes, &root, "consumer").is_err());
    }
    assert!(wrong >= 8, "most single changes are in what is covered: {wrong}");
}

#[tokio::test]
async fn a_refusal_has_a_record_but_no_signed_evidence() {
    let city = City::start().await;
    let reply = city.get("no-such-service/x").await;
    assert_eq!(reply.fault(), "Server.ClientProxy.UnknownService");
    let id = city.gateway().recent(&Filter::default(), 1)[0].1.id.clone();
    assert_eq!(containers(&city.log(), &id, false, None), Err(EvidenceError::NotSigned));
    // the provider's refusal is signed by the city, and the signed part is evidence
    let mut message = city.road.message("GET", &ours(), "/headers", b"");
    message.wrong.signature = true;
    city.road.call(city.outside(), &message).await.unwrap();
    let id = city.gateway().recent(&Filter::default(), 1)[0].1.id.clone();
    assert!(containers(&city.log(), &id, false, None).is_ok());
}

#[tokio::test]
async fn content_is_kept_sealed_where_the_interface_says_so() {
    let key = [7_u8; 32];
    let seal: troad::Seal =
        Arc::new(move |plain| openssl::symm::encrypt(Cipher::aes_256_cbc(), &key, Some(&[1; 16]), plain).ok());
    let unseal: Unseal =
        Arc::new(move |sealed| openssl::symm::decrypt(Cipher::aes_256_cbc(), &key, Some(&[1; 16]), sealed).ok());
    let city = City::with(Wishes {
        seal: Some(seal),
        directory: Some(Box::new(|directory| {
            directory
                .interfaces
                .iter_mut()
                .for_each(|interface| interface.keep = Keep::Full);
        })),
        ..Wishes::default()
    })
    .await;
    let long = vec![b'q'; 300_000];
    for body in [&b"secret content"[..], &long] {
        assert_eq!(city.post("exercise/echo", body).await.body, body);
        let message = city.road.message("POST", &ours(), "/echo", body);
        assert_eq!(city.road.call(city.outside(), &message).await.unwrap().body, body);
    }
    let huge = vec![b'q'; 2 << 20];
    assert_eq!(city.post("exercise/echo", &huge).await.body.len(), huge.len());
    assert_eq!(
        city.get("household-registry/persons/A123456789").await.status,
        StatusCode::OK
    );
    city.gateway().stamp().await.unwrap();
    let root = city.road.authority.root_pem();
    let all = city.gateway().recent(&Filter::default(), 10);
    let with: Vec<bool> = all.iter().rev().map(|(_, record)| record.content.is_some()).collect();
    assert_eq!(
        with,
        [true, true, true, true, false, true],
        "beyond the limit only hashes"
    );
    for (_, record) in all.iter().filter(|(_, record)| record.content.is_some()) {
        let made = containers(&city.log(), &record.id, true, Some(&unseal))
            .unwrap()
            .remove(0);
        let side = format!("{:?}", record.side).to_lowercase();
        let names = verify(&city.folder, &made.bytes, &root, &side).unwrap();
        assert!(
            made.has_content && names.contains("response-body.bin") && names.contains("request-headers.txt"),
            "{names}"
        );
        // without the key there is no content, and with a wrong one no evidence that pretends
        let without = containers(&city.log(), &record.id, true, None).unwrap().remove(0);
        assert!(!without.has_content);
        let wrong: Unseal = Arc::new(|sealed| Some(sealed.to_vec()));
        assert_eq!(
            containers(&city.log(), &record.id, true, Some(&wrong)),
            Err(EvidenceError::Content)
        );
    }
    let mut found = false;
    for entry in std::fs::read_dir(city.log()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            found |= bytes.windows(14).any(|window| window == b"secret content");
        }
    }
    assert!(!found, "the content on disk is sealed");
}

#[tokio::test]
async fn full_content_without_a_seal_is_refused() {
    let city = City::start().await;
    let mut directory = city.gateway().directory();
    directory.interfaces[0].keep = Keep::Full;
    let error = city.gateway().set_directory(directory).unwrap_err();
    assert!(error.to_string().contains("no seal"), "{error}");
}
