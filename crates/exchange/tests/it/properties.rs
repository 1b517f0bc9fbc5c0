//! Whatever comes from outside is answered, never with a panic.

use crate::support::envelope::{HEADER, seal};
use crate::support::package::{RESOURCE, data_set_entries, envelope, outer, outer_manifest, package};
use crate::support::pki::{AGENCY, AUTHORITY, ROOT};
use crate::support::zip::{entry, zip};
use crate::support::{CBC_IV, CLIENT_ID, SECRET_KEY, config, now, secret_key};
use exchange::iso20022::Report;
use exchange::mydata::{Connector, jwe};
use proptest::prelude::*;
use std::sync::LazyLock;

static CONNECTOR: LazyLock<Connector> = LazyLock::new(|| {
    let mut config = config(&ROOT.pem());
    config.intermediates = AUTHORITY.pem();
    Connector::new(config).unwrap()
});
static PACKAGE: LazyLock<Vec<u8>> = LazyLock::new(package);
static DATA_SET: LazyLock<Vec<u8>> =
    LazyLock::new(|| zip(&data_set_entries(vec![entry("a.json", "{}")], &AGENCY, '/')));

fn key() -> &'static [u8; 32] {
    SECRET_KEY.as_bytes().try_into().unwrap()
}

fn xml() -> impl Strategy<Value = String> {
    let words = [
        "<a>",
        "</a>",
        "<a/>",
        "<file",
        " filename='x'",
        ">",
        "&amp;",
        "&x;",
        "<!DOCTYPE a>",
        "<![CDATA[",
        "]]>",
        "x",
        "<!--",
        "-->",
        "<?p",
        "?>",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_envelope(text in "[A-Za-z0-9_.-]{0,200}") {
        prop_assert!(jwe::open(&text, key()).is_err());
    }

    #[test]
    fn any_header(header in ".{0,100}", content in prop::collection::vec(any::<u8>(), 0..100)) {
        let sealed = seal(&header, key(), CBC_IV.as_bytes().try_into().unwrap(), &content);
        prop_assert!(jwe::open(&sealed, key()).is_err());
    }

    #[test]
    fn any_content_survives(content in prop::collection::vec(any::<u8>(), 0..1000)) {
        let sealed = seal(HEADER, key(), CBC_IV.as_bytes().try_into().unwrap(), &content);
        prop_assert_eq!(jwe::open(&sealed, key()).unwrap(), content);
    }

    #[test]
    fn any_bytes_as_package(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(CONNECTOR.open(&bytes, &secret_key(), now()).is_err());
        prop_assert!(CONNECTOR.open(&envelope(&bytes), &secret_key(), now()).is_err());
        prop_assert!(CONNECTOR.open(&envelope(&outer(bytes)), &secret_key(), now()).is_err());
    }

    #[test]
    fn any_change_of_a_package_is_refused(place in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut changed = PACKAGE.clone();
        let place = place.index(changed.len());
        changed[place] ^= 1_u8 << bit;
        prop_assert!(CONNECTOR.open(&changed, &secret_key(), now()).is_err());
    }

    // What the envelope and the signature do not cover, such as the date of a ZIP entry, may change; files may not.
    #[test]
    fn any_change_of_a_data_set_leaves_its_files(place in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut changed = DATA_SET.clone();
        let place = place.index(changed.len());
        changed[place] ^= 1_u8 << bit;
        if let Ok(opened) = CONNECTOR.open(&envelope(&outer(changed)), &secret_key(), now()) {
            let files: Vec<_> = opened.resources[0].files.iter().collect();
            let (name, content) = ("a.json".to_owned(), b"{}".to_vec());
            prop_assert_eq!(files, vec![(&name, &content)]);
        }
    }

    #[test]
    fn any_manifest(text in xml()) {
        let archive = zip(&[entry("META-INFO/manifest.xml", text.clone())]);
        let _ = CONNECTOR.open(&envelope(&archive), &secret_key(), now());
        let signed = zip(&[
            entry("META-INFO/manifest.xml", text.clone()),
            entry("META-INFO/manifest.sha256withrsa", AGENCY.sign(text.as_bytes())),
            entry("META-INFO/certificate.cer", AGENCY.der()),
        ]);
        let _ = CONNECTOR.open(&envelope(&outer(signed)), &secret_key(), now());
    }

    #[test]
    fn any_certificate(place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut certificate = AGENCY.der();
        let place = place.index(certificate.len());
        certificate[place] = byte;
        certificate.truncate(cut.index(certificate.len() * 2).max(1));
        let mut entries = data_set_entries(vec![entry("a.json", "{}")], &AGENCY, '/');
        entries[2].content = certificate;
        let archive = zip(&[
            entry(&format!("{RESOURCE}.zip"), zip(&entries)),
            entry("META-INFO/manifest.xml", outer_manifest(&[(RESOURCE, 200)])),
        ]);
        let _ = CONNECTOR.open(&envelope(&archive), &secret_key(), now());
    }

    #[test]
    fn any_notification(body in prop::collection::vec(any::<u8>(), 0..300), fields in "[ -~]{0,60}") {
        prop_assert!(CONNECTOR.read_notification(Some("application/json"), &body).is_err());
        let body = serde_json::json!({ "tx_id": fields, "permission_ticket": fields, "apiKey": fields, "secret_key": fields });
        prop_assert!(CONNECTOR.read_notification(Some("application/json"), body.to_string().as_bytes()).is_err());
    }

    #[test]
    fn any_return(query in "[ -~]{0,200}", code in 0..1000_u16) {
        prop_assert!(CONNECTOR.read_return(&query).is_err());
        let query = format!("code={code:03}&tx_id={query}");
        prop_assert!(CONNECTOR.read_return(&query).is_err());
    }

    #[test]
    fn any_report(bytes in prop::collection::vec(any::<u8>(), 0..300), text in xml()) {
        prop_assert!(Report::read(&bytes).is_err());
        let around = format!("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\">{text}</Document>");
        prop_assert!(Report::read(around.as_bytes()).is_err());
    }
}

#[test]
fn the_package_of_the_properties_is_good() {
    assert!(CONNECTOR.open(&PACKAGE, &secret_key(), now()).is_ok());
    assert!(
        CONNECTOR
            .open(&envelope(&outer(DATA_SET.clone())), &secret_key(), now())
            .is_ok()
    );
    assert_eq!(CONNECTOR.config().client_id, CLIENT_ID);
}
