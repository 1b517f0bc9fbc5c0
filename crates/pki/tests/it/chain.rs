//! Each certificate that must not serve is refused with its own reason.

use crate::maker::{Made, SIGNS, Wish, authority, make};
use jiff::Timestamp;
use pki::{CertificateError as Refused, Purpose, Revocation, Trust, TrustError, revocation_lists};
use std::sync::LazyLock;

static ROOT: LazyLock<Made> = LazyLock::new(|| make("政府憑證總管理中心", authority(1), None));
static AUTHORITY: LazyLock<Made> = LazyLock::new(|| make("政府憑證管理中心", authority(0), Some(&ROOT)));

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn trust() -> Trust {
    Trust::read(&ROOT.pem(), &AUTHORITY.pem()).unwrap()
}

/// What becomes of a chain in June 2026.
fn check(trust: &Trust, chain: &[&Made], purpose: Purpose, revocation: Revocation<'_>) -> Result<String, Refused> {
    let chain: Vec<_> = chain.iter().map(|made| made.der()).collect();
    let trusted = trust.check(&chain, purpose, revocation, at("2026-06-01T00:00:00Z"))?;
    assert_eq!(trusted.issuers, [AUTHORITY.parsed()]);
    Ok(trusted.facts.names.join(" "))
}

fn signs(chain: &[&Made]) -> Result<String, Refused> {
    check(&trust(), chain, Purpose::Signing, Revocation::default())
}

#[test]
fn certificates_that_do_not_serve_are_refused_each_with_its_reason() {
    let of = |wish: Wish| make("戶政司", wish, Some(&AUTHORITY));
    let good = of(SIGNS);
    assert_eq!(signs(&[&good]).unwrap(), "行政院 戶政司");
    let (from, until) = ("20250101000000Z", "20251231235959Z");
    let expired = of(Wish { from, until, ..SIGNS });
    assert_eq!(signs(&[&expired]), Err(Refused::Expired(at("2025-12-31T23:59:59Z"))));
    let (from, until) = ("20270101000000Z", "20271231235959Z");
    let young = of(Wish { from, until, ..SIGNS });
    assert_eq!(signs(&[&young]), Err(Refused::NotYetValid(at("2027-01-01T00:00:00Z"))));
    assert_eq!(signs(&[&make("戶政司", SIGNS, None)]), Err(Refused::UnknownIssuer));
    let weak = Wish {
        is_sha_1: true,
        ..SIGNS
    };
    assert_eq!(signs(&[&of(weak)]), Err(Refused::WeakAlgorithm));
    // one who calls himself the authority
    let other = make("政府憑證管理中心", authority(0), Some(&ROOT));
    let forged = make("戶政司", SIGNS, Some(&other));
    assert_eq!(signs(&[&forged]), Err(Refused::WrongChainSignature));
    // one whose issuer is no authority
    let below = make("民間公司", SIGNS, Some(&good));
    assert_eq!(signs(&[&below, &good]), Err(Refused::WrongPurpose));
    let second = make("第二憑證管理中心", authority(0), Some(&AUTHORITY));
    let far = make("戶政司", SIGNS, Some(&second));
    assert_eq!(signs(&[&far, &second]), Err(Refused::PathTooLong));
    assert_eq!(signs(&[&good; 9]), Err(Refused::PathTooLong));
    assert!(signs(&[&good; 8]).is_ok());
    assert_eq!(signs(&[&AUTHORITY]), Err(Refused::WrongPurpose));
    assert_eq!(signs(&[]), Err(Refused::Unreadable));
    let cut = good.der()[..200].to_vec().into();
    let now = at("2026-06-01T00:00:00Z");
    let cut = trust().check(&[cut], Purpose::Signing, Revocation::default(), now);
    assert_eq!(cut.unwrap_err(), Refused::Unreadable);
    let stranger = Trust::read(&make("別國憑證中心", authority(1), None).pem(), &AUTHORITY.pem()).unwrap();
    let found = check(&stranger, &[&good], Purpose::Signing, Revocation::default());
    assert_eq!(found, Err(Refused::UnknownIssuer));
    assert!(matches!(Trust::read("", ""), Err(TrustError::Roots(_))));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(
        Trust::read(&ROOT.pem(), broken),
        Err(TrustError::Intermediates(_))
    ));
}

#[test]
fn a_certificate_serves_the_purposes_its_usages_allow() {
    use Purpose::{Card, ClientAuthentication, OcspSigning, ServerAuthentication, Signing, TimeStamping};
    // usages (RFC 5280 sections 4.2.1.3 and 4.2.1.12), and all that they allow
    let cases: [(&str, &'static [&'static str], &[Purpose]); 12] = [
        ("", &[], &[ClientAuthentication, ServerAuthentication, Signing, Card]),
        (
            "digitalSignature",
            &[],
            &[ClientAuthentication, ServerAuthentication, Signing, Card],
        ),
        ("nonRepudiation", &[], &[Signing, Card]),
        ("keyEncipherment", &[], &[]),
        ("digitalSignature", &["clientAuth"], &[ClientAuthentication, Card]),
        (
            "digitalSignature",
            &["serverAuth", "clientAuth"],
            &[ClientAuthentication, ServerAuthentication, Card],
        ),
        ("digitalSignature", &["emailProtection"], &[Signing, Card]),
        ("digitalSignature", &["1.3.6.1.5.5.7.3.36"], &[Signing, Card]),
        ("digitalSignature", &["1.3.6.1.4.1.311.20.2.2"], &[Card]),
        ("nonRepudiation", &["timeStamping"], &[TimeStamping]),
        ("keyEncipherment", &["timeStamping"], &[]),
        ("digitalSignature", &["OCSPSigning"], &[OcspSigning]),
    ];
    for (usage, extended, allowed) in cases {
        let wish = Wish {
            usage,
            extended,
            ..SIGNS
        };
        let made = make("戶政司", wish, Some(&AUTHORITY));
        for purpose in [
            ClientAuthentication,
            ServerAuthentication,
            Signing,
            Card,
            TimeStamping,
            OcspSigning,
        ] {
            let found = check(&trust(), &[&made], purpose, Revocation::default());
            let expected = match allowed.contains(&purpose) {
                true => Ok("行政院 戶政司".to_owned()),
                false => Err(Refused::WrongPurpose),
            };
            assert_eq!(found, expected, "`{usage}` {extended:?} for {purpose:?}");
        }
    }
}

#[test]
fn the_standing_of_a_certificate_is_asked_of_lists() {
    let good = make("戶政司", SIGNS, Some(&AUTHORITY));
    let revoked = make("地政司", SIGNS, Some(&AUTHORITY));
    let forger = make("政府憑證管理中心", authority(0), Some(&ROOT));
    let (now, past) = ("2026-12-01T00:00:00Z", "2026-02-01T00:00:00Z");
    let lists = |ders: &[Vec<u8>]| {
        ders.iter()
            .flat_map(|der| revocation_lists(der).unwrap())
            .collect::<Vec<_>>()
    };
    let standing = |made: &Made, lists: &[pki::RevocationList], is_required: bool| {
        check(&trust(), &[made], Purpose::Signing, Revocation { lists, is_required }).err()
    };
    let current = lists(&[AUTHORITY.list(&[&revoked], now)]);
    let old = lists(&[AUTHORITY.list(&[&revoked], past)]);
    let of_root = lists(&[ROOT.list(&[], now)]);
    let forged = lists(&[forger.list(&[], now)]);
    for is_required in [true, false] {
        let unknown = is_required.then_some(Refused::UnknownStanding);
        assert_eq!(standing(&good, &current, is_required), None);
        assert_eq!(standing(&revoked, &current, is_required), Some(Refused::Revoked));
        assert_eq!(standing(&good, &[], is_required), unknown);
        assert_eq!(standing(&good, &old, is_required), unknown);
        assert_eq!(standing(&good, &of_root, is_required), unknown);
        // one in the authority's name that another has signed tells nothing good
        assert_eq!(standing(&good, &forged, is_required), Some(Refused::UnknownStanding));
    }
    assert_eq!(standing(&revoked, &old, false), Some(Refused::Revoked));
    assert!(revocation_lists(b"").unwrap().is_empty());
    assert!(revocation_lists(&AUTHORITY.list(&[], now)[..60]).is_err());
}
