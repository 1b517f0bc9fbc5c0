//! Packages: what is accepted, and each way to tamper refused by its own name.

use crate::support::package::{
    CONTENT, FILE, RESOURCE, data_set, data_set_entries, envelope, envelope_named, outer, outer_manifest, package,
};
use crate::support::pki::{AGENCY, AUTHORITY, Making, ROOT, make};
use crate::support::zip::{entry, zip};
use crate::support::{CLIENT_ID, config, connector, now, secret_key};
use exchange::mydata::{
    CertificateError, Config, Connector, JweError, Package, PackageError, Results, SecretKey, UnzipError,
};

/// A connector that knows the root and the authority.
fn trusting() -> Config {
    let mut config = config(&ROOT.pem());
    config.intermediates = AUTHORITY.pem();
    config
}

fn open(envelope: &[u8]) -> Result<Package, PackageError> {
    Connector::new(trusting()).unwrap().open(envelope, &secret_key(), now())
}

/// What is said of a data set.
fn open_set(data_set: Vec<u8>) -> PackageError {
    open(&envelope(&outer(data_set))).unwrap_err()
}

#[test]
fn opens_a_good_package() {
    let opened = open(&package()).unwrap();
    assert_eq!(opened.issued, now());
    assert!(opened.is_complete());
    let [set] = opened.resources.as_slice() else {
        panic!("one data set")
    };
    assert_eq!(
        (set.resource_id.as_str(), set.name.as_str(), set.result),
        (RESOURCE, "戶籍資料", Results::Data)
    );
    assert_eq!(set.files.get(FILE).unwrap(), CONTENT);
    assert_eq!(set.files.len(), 1);
    assert!(set.signer.as_ref().unwrap().subject.contains("內政部戶政司"));
    assert_eq!(opened.check_asked(&[RESOURCE.to_owned()]), Ok(()));
    assert_eq!(
        opened.check_asked(&[]),
        Err(PackageError::NotAsked(RESOURCE.to_owned()))
    );
    assert_eq!(
        opened.check_asked(&[RESOURCE.to_owned(), "API.tax".to_owned()]),
        Err(PackageError::NotAnswered("API.tax".to_owned()))
    );
    assert!(!format!("{opened:?}").contains("u738b"), "no content in debug output");
}

#[test]
fn accepts_backslashes_and_attributes() {
    let back = zip(&data_set_entries(
        vec![entry("sub\\household.json", CONTENT)],
        &AGENCY,
        '\\',
    ));
    let opened = open(&envelope(&outer(back))).unwrap();
    assert!(opened.resources[0].files.contains_key("sub/household.json"));
    let manifest = format!(r#"<files><file filename="{RESOURCE}.zip" resource_id="{RESOURCE}" code="200"/></files>"#);
    let outer = zip(&[
        entry("META-INFO\\manifest.xml", manifest),
        entry(&format!("{RESOURCE}.zip"), data_set(&AGENCY)),
    ]);
    assert!(open(&envelope(&outer)).unwrap().is_complete());
}

#[test]
fn tells_empty_failed_and_held_back_apart() {
    let none = zip(&[entry("META-INFO/manifest.xml", outer_manifest(&[(RESOURCE, 204)]))]);
    let opened = open(&envelope(&none)).unwrap();
    assert_eq!(
        (opened.resources[0].result, opened.is_complete()),
        (Results::Nothing, true)
    );
    let failed = zip(&[entry(
        "META-INFO/manifest.xml",
        outer_manifest(&[(RESOURCE, 200), ("API.tax", 403)]),
    )]);
    let opened = open(&envelope(&failed)).unwrap();
    let results: Vec<Results> = opened.resources.iter().map(|set| set.result).collect();
    assert_eq!(
        (results, opened.is_complete()),
        (vec![Results::HeldBack, Results::Failed(403)], false)
    );
}

#[test]
fn refuses_wrong_keys_and_envelopes() {
    let other = SecretKey::try_from("ffffffffffffffffffffffffffffffff".to_owned()).unwrap();
    let error = connector(&ROOT.pem()).open(&package(), &other, now()).unwrap_err();
    assert_eq!(
        (error.reason(), error),
        ("wrong-key", PackageError::Envelope(JweError::WrongKey))
    );
    let mut altered = package();
    let place = altered.len() - 60;
    altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
    assert_eq!(open(&altered).unwrap_err().reason(), "altered-package");
    assert_eq!(open(b"\xff\xfe").unwrap_err().reason(), "bad-envelope");
    let other_service = envelope_named("CLI.9876543210.zip", "application/zip;data:", &outer(data_set(&AGENCY)));
    assert_eq!(
        open(&other_service).unwrap_err(),
        PackageError::OtherService(CLIENT_ID.to_owned())
    );
    let other_type = envelope_named(&format!("{CLIENT_ID}.zip"), "text/plain,", b"");
    assert!(matches!(open(&other_type).unwrap_err(), PackageError::Payload(_)));
    assert_eq!(open(&envelope(b"not a zip")).unwrap_err().reason(), "damaged-package");
}

#[test]
fn refuses_altered_files() {
    let mut entries = data_set_entries(vec![entry(FILE, CONTENT)], &AGENCY, '/');
    entries[0].content = CONTENT.to_ascii_uppercase();
    let error = open_set(zip(&entries));
    assert_eq!(
        error,
        PackageError::Digest {
            resource: RESOURCE.to_owned(),
            file: FILE.to_owned()
        }
    );
    assert_eq!(error.reason(), "altered-package");

    let mut entries = data_set_entries(vec![entry(FILE, CONTENT)], &AGENCY, '/');
    entries.push(entry("more.json", "{}"));
    let file = "more.json".to_owned();
    assert_eq!(
        open_set(zip(&entries)),
        PackageError::Unlisted {
            resource: RESOURCE.to_owned(),
            file
        }
    );

    let mut entries = data_set_entries(vec![entry(FILE, CONTENT)], &AGENCY, '/');
    entries.remove(0);
    let file = FILE.to_owned();
    assert_eq!(
        open_set(zip(&entries)),
        PackageError::Missing {
            resource: RESOURCE.to_owned(),
            file
        }
    );

    for name in [
        "META-INFO/manifest.xml",
        "META-INFO/manifest.sha256withrsa",
        "META-INFO/certificate.cer",
    ] {
        let mut entries = data_set_entries(vec![entry(FILE, CONTENT)], &AGENCY, '/');
        entries.retain(|entry| entry.name != name);
        let file = name.to_owned();
        assert_eq!(
            open_set(zip(&entries)),
            PackageError::Missing {
                resource: RESOURCE.to_owned(),
                file
            }
        );
    }
}

#[test]
fn refuses_wrong_outer_packages() {
    let without = zip(&[entry(&format!("{RESOURCE}.zip"), data_set(&AGENCY))]);
    assert!(matches!(
        open(&envelope(&without)).unwrap_err(),
        PackageError::Missing { .. }
    ));
    let empty = zip(&[entry("META-INFO/manifest.xml", outer_manifest(&[(RESOURCE, 200)]))]);
    assert!(matches!(
        open(&envelope(&empty)).unwrap_err(),
        PackageError::Missing { .. }
    ));
    let more = zip(&[
        entry("META-INFO/manifest.xml", outer_manifest(&[(RESOURCE, 200)])),
        entry(&format!("{RESOURCE}.zip"), data_set(&AGENCY)),
        entry("API.other.zip", data_set(&AGENCY)),
    ]);
    assert!(matches!(
        open(&envelope(&more)).unwrap_err(),
        PackageError::Unlisted { .. }
    ));
    for manifest in [
        outer_manifest(&[(RESOURCE, 200), (RESOURCE, 200)]),
        "<!DOCTYPE files [<!ENTITY a \"b\">]><files/>".to_owned(),
        format!("<files><file><resource_id>{RESOURCE}</resource_id></file></files>"),
        format!("<files><file><resource_id>{RESOURCE}</resource_id><code>ok</code></file></files>"),
        "<files>".to_owned(),
    ] {
        let outer = zip(&[entry("META-INFO/manifest.xml", manifest)]);
        assert!(matches!(
            open(&envelope(&outer)).unwrap_err(),
            PackageError::Manifest { .. }
        ));
    }
}

#[test]
fn refuses_signatures_of_others() {
    let mut entries = data_set_entries(vec![entry(FILE, CONTENT)], &AGENCY, '/');
    let other = make(&Making::default(), Some(&AUTHORITY));
    entries[1].content = other.sign(&entries[3].content);
    assert_eq!(open_set(zip(&entries)).reason(), "unknown-signature");
    entries[1].content = vec![0; 256];
    assert_eq!(open_set(zip(&entries)).reason(), "unknown-signature");
    entries[1].content = Vec::new();
    assert_eq!(open_set(zip(&entries)).reason(), "unknown-signature");
    entries[2].content = b"not a certificate".to_vec();
    assert!(matches!(
        open_set(zip(&entries)),
        PackageError::Certificate {
            error: CertificateError::Unreadable,
            ..
        }
    ));
}

#[test]
fn refuses_certificates_that_do_not_serve() {
    let agency = Making::default;
    let (old, young) = ("20250101000000Z", "20260101000000Z");
    for (making, issuer, reason) in [
        (
            Making { until: old, ..agency() },
            Some(&*AUTHORITY),
            "expired-certificate",
        ),
        (
            Making {
                from: young,
                ..agency()
            },
            Some(&AUTHORITY),
            "certificate-not-yet-valid",
        ),
        (agency(), None, "untrusted-certificate"),
        (
            Making {
                may_sign: false,
                ..agency()
            },
            Some(&AUTHORITY),
            "untrusted-certificate",
        ),
        (Making { bits: 1024, ..agency() }, Some(&AUTHORITY), "unknown-signature"),
    ] {
        assert_eq!(open_set(data_set(&make(&making, issuer))).reason(), reason);
    }
    let later = Connector::new(trusting()).unwrap();
    let later = later.open(&package(), &secret_key(), "2031-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(later.unwrap_err().reason(), "expired-certificate");
    // the authority between is not configured and not in the package
    let alone = connector(&ROOT.pem()).open(&package(), &secret_key(), now());
    assert_eq!(alone.unwrap_err().reason(), "untrusted-certificate");
}

#[test]
fn takes_the_chain_from_the_package() {
    let mut entries = data_set_entries(vec![entry(FILE, CONTENT)], &AGENCY, '/');
    entries[2].content = format!("{}{}", AGENCY.pem(), AUTHORITY.pem()).into_bytes();
    let opened = connector(&ROOT.pem()).open(&envelope(&outer(zip(&entries))), &secret_key(), now());
    assert!(opened.unwrap().is_complete());
}

#[test]
fn refuses_another_agency_than_the_provider() {
    let open = |agency: &str| {
        let mut config = trusting();
        config.signers.insert(RESOURCE.to_owned(), agency.to_owned());
        Connector::new(config).unwrap().open(&package(), &secret_key(), now())
    };
    assert!(open("內政部戶政司").unwrap().is_complete());
    // a part of a name is another name, and the escaped whole is none
    for agency in ["財政部財政資訊中心", "內政部", "戶政司", "OU=內政部戶政司", ""] {
        assert_eq!(open(agency).unwrap_err().reason(), "wrong-signer", "{agency}");
    }
}

#[test]
fn refuses_zip_bombs() {
    use std::io::Write;
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("zeros.csv", options).unwrap();
    for _ in 0..24 {
        writer.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = writer.finish().unwrap().into_inner();
    assert!(bomb.len() < 64 << 10);
    assert_eq!(open_set(bomb.clone()).reason(), "zip-bomb");
    // The same bomb that lies about its size in both of its headers.
    let mut lying = bomb;
    let size = (24_u32 << 20).to_le_bytes();
    let places: Vec<usize> = (0..lying.len() - 4).filter(|at| lying[*at..*at + 4] == size).collect();
    for at in places {
        lying[at..at + 4].copy_from_slice(&1000_u32.to_le_bytes());
    }
    let reason = open_set(lying).reason();
    assert!(matches!(reason, "zip-bomb" | "damaged-package"), "{reason}");

    let many: Vec<_> = (0..1200).map(|index| entry(&format!("{index}.json"), "{}")).collect();
    assert_eq!(open_set(zip(&many)).reason(), "zip-bomb");
    let mut config = trusting();
    config.limits.total_bytes = 4000;
    let large: Vec<_> = (0..5)
        .map(|index| entry(&format!("{index}.json"), vec![b' '; 1000]))
        .collect();
    let connector = Connector::new(config).unwrap();
    let error = connector
        .open(&envelope(&outer(zip(&large))), &secret_key(), now())
        .unwrap_err();
    assert!(
        matches!(
            error,
            PackageError::Zip {
                error: UnzipError::Bomb(_),
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn refuses_unsafe_and_doubled_names() {
    for name in [
        "../evil.json",
        "a/../../evil.json",
        "/etc/passwd",
        "..\\evil.json",
        "C:\\evil.json",
        "a//b",
        "a\0b",
        "./a",
        "",
    ] {
        let error = open_set(zip(&[entry(name, "x")]));
        assert_eq!(error.reason(), "unsafe-file-name", "{name:?}");
    }
    for names in [["a.json", "a.json"], ["a/b.json", "a\\b.json"]] {
        let error = open_set(zip(&names.map(|name| entry(name, "x"))));
        assert!(
            matches!(
                error,
                PackageError::Zip {
                    error: UnzipError::Twice(_),
                    ..
                }
            ),
            "{error}"
        );
    }
}
