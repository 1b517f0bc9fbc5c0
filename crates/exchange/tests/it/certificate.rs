//! Sign-in by card, over certificates, lists, answers and signatures that OpenSSL made (tests/data/certificates/make.sh).

use exchange::certificate::sign_in::{Challenge, Config, SignIn, SignInError};
use exchange::certificate::{CertificateError, CmsError, Evidence, EvidenceError, cms};
use jiff::{SignedDuration, Timestamp};
use openssl::base64::encode_block;
use serde_json::json;

pub fn data(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/certificates/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn text(name: &str) -> String {
    String::from_utf8(data(name)).unwrap()
}

/// The time the challenge of the recorded signatures carries.
pub fn made() -> Timestamp {
    "2026-12-01T02:00:00Z".parse().unwrap()
}

fn challenge() -> Challenge {
    serde_json::from_value(json!({ "text": text("challenge.txt"), "made": made() })).unwrap()
}

fn sign_in() -> SignIn {
    SignIn::new(config()).unwrap()
}

fn config() -> Config {
    Config {
        roots: text("root.pem"),
        intermediates: String::new(),
        audience: "city.example".to_owned(),
        life_seconds: 300,
        skew_seconds: 60,
    }
}

fn evidence(lists: &[&str], answers: &[&str]) -> Evidence {
    let read = |names: &[&str]| names.iter().map(|name| data(name)).collect::<Vec<_>>();
    Evidence::read(&read(lists), &read(answers), true, SignedDuration::from_secs(60)).unwrap()
}

fn listed() -> Evidence {
    evidence(&["moica.crl"], &[])
}

fn verify(
    signature: &str,
    evidence: &Evidence,
    after: i64,
) -> Result<exchange::certificate::sign_in::Holder, SignInError> {
    let now = made() + SignedDuration::from_secs(after);
    sign_in().verify(&challenge(), &encode_block(&data(signature)), evidence, now)
}

fn refused(signature: &str) -> SignInError {
    verify(signature, &listed(), 30).unwrap_err()
}

#[test]
fn every_accepted_form_signs_in() {
    for form in ["card", "detached", "sha512", "pss", "card-ec", "keyid", "plain"] {
        let holder = verify(&format!("{form}.p7"), &listed(), 30).unwrap_or_else(|error| panic!("{form}: {error}"));
        let name = if form == "card-ec" { "陳浩" } else { "林阿梅" };
        assert!(holder.subject.contains(name), "{form}: {}", holder.subject);
        assert!(holder.issuer.contains("內政部憑證管理中心"));
        assert_eq!(holder.serial, if form == "card-ec" { "1001" } else { "1000" });
        assert!(!format!("{holder:?}").contains(name), "no person in Debug");
    }
}

#[test]
fn a_challenge_of_ours_is_new_each_time_and_names_the_city() {
    let sign_in = sign_in();
    let (one, two) = (sign_in.challenge(&[1; 32], made()), sign_in.challenge(&[2; 32], made()));
    assert_ne!(one, two);
    assert!(one.text().contains("city.example"));
    assert_eq!(
        sign_in.challenge(&[0; 32], made()).text().len(),
        text("challenge.txt").len()
    );
    assert_eq!(format!("{one:?}"), "Challenge");
}

#[test]
fn the_same_text_is_remembered_by_the_same_key_until_it_is_too_old() {
    let (one, two) = (
        verify("card.p7", &listed(), 1).unwrap(),
        verify("pss.p7", &listed(), 200).unwrap(),
    );
    assert_eq!(
        one.remember, two.remember,
        "another signature over the same text is the same sign-in"
    );
    assert!(one.remember.until >= made() + SignedDuration::from_secs(300));
}

#[test]
fn old_and_future_challenges_are_refused() {
    assert_eq!(verify("card.p7", &listed(), 301).unwrap_err(), SignInError::TooLate);
    assert!(verify("card.p7", &listed(), 300).is_ok());
    assert!(verify("card.p7", &listed(), -60).is_ok(), "a clock a minute behind");
    assert_eq!(verify("card.p7", &listed(), -61).unwrap_err(), SignInError::TooEarly);
}

#[test]
fn certificates_that_are_not_good_are_refused() {
    use CertificateError as C;
    let certificate = |signature: &str| match refused(signature) {
        SignInError::Signature(CmsError::Certificate(error)) => error,
        other => panic!("{signature}: {other:?}"),
    };
    assert!(matches!(certificate("expired.p7"), C::Expired(_)));
    assert!(matches!(certificate("young.p7"), C::NotYetValid(_)));
    assert!(matches!(certificate("revoked.p7"), C::Revoked));
    assert!(matches!(certificate("sealing.p7"), C::WrongPurpose));
    assert!(matches!(certificate("own.p7"), C::UnknownIssuer));
    // signed by somebody who calls himself MOICA; the real MOICA's certificate lies beside
    assert!(matches!(
        certificate("forged.p7"),
        C::UnknownIssuer | C::WrongChainSignature
    ));
    assert!(matches!(certificate("short.p7"), C::UnknownSignature));
}

#[test]
fn signatures_of_other_forms_are_refused() {
    assert_eq!(refused("other.p7"), SignInError::Signature(CmsError::OtherContent));
    assert_eq!(refused("sha1.p7"), SignInError::Signature(CmsError::Algorithm));
    assert_eq!(refused("nocerts.p7"), SignInError::Signature(CmsError::NoCertificate));
    assert_eq!(refused("two.p7"), SignInError::Signature(CmsError::Signers(2)));
}

#[test]
fn a_signature_beside_another_text_is_refused() {
    let other = json!({ "text": text("challenge.txt").replace("city.example", "else.example"), "made": made() });
    let other: Challenge = serde_json::from_value(other).unwrap();
    for form in ["detached.p7", "card.p7", "plain.p7"] {
        let refused = sign_in().verify(&other, &encode_block(&data(form)), &listed(), made());
        assert!(
            matches!(refused, Err(SignInError::Signature(CmsError::OtherContent))),
            "{form}: {refused:?}"
        );
    }
}

#[test]
fn what_is_cut_off_altered_or_too_large_is_refused() {
    let whole = data("card.p7");
    let check = |bytes: &[u8]| {
        let now = made() + SignedDuration::from_secs(1);
        sign_in().verify(&challenge(), &encode_block(bytes), &listed(), now)
    };
    let holder = check(&whole).unwrap();
    for length in (0..whole.len()).step_by(7) {
        assert!(check(&whole[..length]).is_err(), "cut at {length}");
    }
    for at in (0..whole.len()).step_by(3) {
        let mut altered = whole.clone();
        altered[at] ^= 0x20;
        // What stands beside the signed parts, such as the authority's certificate, may change; who signed may not.
        assert!(
            check(&altered).is_err() || check(&altered) == Ok(holder.clone()),
            "byte {at} was altered"
        );
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert_eq!(check(&longer), Err(SignInError::Signature(CmsError::Form)));
    assert_eq!(
        check(&vec![0x30; cms::LARGEST + 1]),
        Err(SignInError::Signature(CmsError::TooLarge))
    );
    let huge = "A".repeat(cms::LARGEST * 3);
    let now = made();
    assert_eq!(
        sign_in().verify(&challenge(), &huge, &listed(), now).unwrap_err(),
        SignInError::Signature(CmsError::TooLarge)
    );
    assert_eq!(
        sign_in().verify(&challenge(), "%%%", &listed(), now).unwrap_err(),
        SignInError::Base64
    );
}

#[test]
fn the_standing_of_a_certificate_is_asked_of_lists_and_answers() {
    let standing =
        |signature: &str, lists: &[&str], answers: &[&str]| match verify(signature, &evidence(lists, answers), 30) {
            Ok(_) => "good",
            Err(SignInError::Signature(CmsError::Certificate(CertificateError::Revoked))) => "revoked",
            Err(SignInError::Signature(CmsError::Certificate(CertificateError::UnknownStanding))) => "unknown",
            Err(other) => panic!("{other:?}"),
        };
    for (signature, lists, answers, expected) in [
        ("card.p7", &["moica.crl"][..], &[][..], "good"),
        ("card.p7", &[], &["good.ocsp"], "good"),
        ("card.p7", &["old.crl"], &[], "unknown"),
        ("card.p7", &["old.crl"], &["good.ocsp"], "good"),
        ("card.p7", &["forged.crl"], &[], "unknown"),
        ("card.p7", &[], &[], "unknown"),
        ("card.p7", &[], &["good-ec.ocsp"], "unknown"),
        // a card's own certificate may not answer for its authority
        ("card.p7", &[], &["undelegated.ocsp"], "unknown"),
        ("card-ec.p7", &[], &["good-ec.ocsp"], "good"),
        ("revoked.p7", &[], &["good-revoked-card.ocsp"], "revoked"),
        ("revoked.p7", &["moica.crl"], &[], "revoked"),
        ("revoked.p7", &["moica.crl"], &["good.ocsp"], "revoked"),
    ] {
        assert_eq!(
            standing(signature, lists, answers),
            expected,
            "{signature} {lists:?} {answers:?}"
        );
    }
}

#[test]
fn answers_that_are_old_or_altered_say_nothing() {
    let late = made() + SignedDuration::from_hours(24 * 60);
    let challenge: Challenge = serde_json::from_value(json!({ "text": text("challenge.txt"), "made": late })).unwrap();
    let old = sign_in().verify(
        &challenge,
        &encode_block(&data("card.p7")),
        &evidence(&[], &["good.ocsp"]),
        late,
    );
    assert!(matches!(
        old.unwrap_err(),
        SignInError::Signature(CmsError::Certificate(CertificateError::UnknownStanding))
    ));
    let whole = data("good.ocsp");
    // after the identifier of a basic response: OCTET STRING and SEQUENCE with two bytes of length each, then the data
    let basic = [0x2b, 6, 1, 5, 5, 7, 48, 1, 1];
    let start = whole.windows(9).position(|window| window == basic).unwrap() + 9 + 8;
    assert_eq!(whole[start..start + 2], [0x30, 0x81]);
    let signed = start..start + 3 + usize::from(whole[start + 2]);
    for at in (0..whole.len()).step_by(5) {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        let Ok(evidence) = Evidence::read(&[], &[altered], true, SignedDuration::ZERO) else {
            continue;
        };
        // parameters of the algorithm and the certificates an answer carries stand beside what it signs
        assert!(
            verify("card.p7", &evidence, 30).is_err() || !signed.contains(&at),
            "byte {at} was altered"
        );
    }
    assert_eq!(
        Evidence::read(&[], &[whole[..200].to_vec()], true, SignedDuration::ZERO).unwrap_err(),
        EvidenceError::Answer(0)
    );
    assert_eq!(
        Evidence::read(
            &[data("moica.crl"), b"no list".to_vec()],
            &[],
            true,
            SignedDuration::ZERO
        )
        .unwrap_err(),
        EvidenceError::List(1)
    );
    let optional = Evidence::read(&[], &[], false, SignedDuration::ZERO).unwrap();
    assert!(
        verify("card.p7", &optional, 30).is_ok(),
        "where the configuration asks for no standing"
    );
}
