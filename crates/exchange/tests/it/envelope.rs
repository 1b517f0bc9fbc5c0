//! The envelope against published examples and against OpenSSL.

use crate::support::envelope::{HEADER, seal};
use exchange::mydata::jwe::{self, JweError};

const KEY: &[u8; 32] = b"0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const IV: &[u8; 16] = b"0123456789abcdef";

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text.replace(char::is_whitespace, "")).unwrap()
}

/// RFC 7518 appendix B.3: AES_256_CBC_HMAC_SHA_512.
#[test]
fn rfc_7518_b_3() {
    let key: [u8; 64] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let iv = hex("1af38c2dc2b96ffdd86694092341bc04");
    let associated = b"The second principle of Auguste Kerckhoffs";
    let sealed = hex("4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd\
                      822c301dd67c373bccb584ad3e9279c2e6d12a1374b77f077553df829410446b\
                      36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3\
                      a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950b\
                      be2638d09dd7a4930930806d0703b1f6");
    let tag = hex("4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5");
    let text = "A cipher system must not be required to be secret, and it must be able to fall into the hands of the \
                enemy without inconvenience";
    assert_eq!(
        jwe::decrypt(&key, associated, &iv, &sealed, &tag).unwrap(),
        text.as_bytes()
    );
    for (changed, place) in [(&sealed, 3), (&tag, 0)] {
        let mut changed = changed.clone();
        changed[place] ^= 1;
        let (sealed, tag) = if changed.len() == 32 {
            (&sealed, &changed)
        } else {
            (&changed, &tag)
        };
        assert_eq!(jwe::decrypt(&key, associated, &iv, sealed, tag), Err(JweError::Altered));
    }
    assert_eq!(
        jwe::decrypt(&key, b"another", &iv, &sealed, &tag),
        Err(JweError::Altered)
    );
    assert_eq!(
        jwe::decrypt(&key, associated, &iv, &sealed, &tag[..16]),
        Err(JweError::Altered)
    );
}

/// RFC 3394 section 4.6: 256 bits of key data wrapped with 256 bits.
#[test]
fn rfc_3394_4_6() {
    use aes_kw::{KeyInit, KwAes256};
    let key: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let wrapped = hex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
    let mut data = [0; 32];
    KwAes256::new(&key.into()).unwrap_key(&wrapped, &mut data).unwrap();
    assert_eq!(
        data.to_vec(),
        hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F")
    );
}

#[test]
fn opens_what_openssl_sealed() {
    for length in [0, 1, 15, 16, 17, 4096] {
        let content = vec![0x5a; length];
        assert_eq!(jwe::open(&seal(HEADER, KEY, IV, &content), KEY).unwrap(), content);
    }
    let with_more = r#"{"cty":"JSON","kid":"one","enc":"A256CBC-HS512","alg":"A256KW"}"#;
    assert_eq!(
        jwe::open(&seal(with_more, KEY, IV, b"content"), KEY).unwrap(),
        b"content"
    );
}

#[test]
fn refuses_another_key() {
    let sealed = seal(HEADER, KEY, IV, b"content");
    assert_eq!(
        jwe::open(&sealed, b"another key of thirty-two bytes!"),
        Err(JweError::WrongKey)
    );
}

#[test]
fn refuses_what_was_altered() {
    let sealed = seal(HEADER, KEY, IV, b"content of a package");
    let parts: Vec<&str> = sealed.split('.').collect();
    for (part, expected) in [
        (1, JweError::WrongKey),
        (2, JweError::Altered),
        (3, JweError::Altered),
        (4, JweError::Altered),
    ] {
        let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let first = if parts[part].starts_with('A') { "B" } else { "A" };
        parts[part].replace_range(0..1, first);
        assert_eq!(jwe::open(&parts.join("."), KEY), Err(expected), "part {part}");
    }
    // The same algorithms in another order: an acceptable header that was not the one authenticated.
    let other = seal(r#"{"enc":"A256CBC-HS512","alg":"A256KW"}"#, KEY, IV, b"x");
    let swapped = format!("{}.{}", other.split('.').next().unwrap(), parts[1..].join("."));
    assert_eq!(jwe::open(&swapped, KEY), Err(JweError::Altered));
}

#[test]
fn refuses_other_algorithms_and_forms() {
    for (header, expected) in [
        (
            r#"{"alg":"dir","enc":"A256CBC-HS512"}"#,
            JweError::Algorithm {
                name: "alg",
                expected: "A256KW",
            },
        ),
        (
            r#"{"enc":"A256CBC-HS512"}"#,
            JweError::Algorithm {
                name: "alg",
                expected: "A256KW",
            },
        ),
        (
            r#"{"alg":"A256KW","enc":"A256GCM"}"#,
            JweError::Algorithm {
                name: "enc",
                expected: "A256CBC-HS512",
            },
        ),
        (
            r#"{"alg":"A256KW","enc":"A256CBC-HS512","zip":"DEF"}"#,
            JweError::Parameter("zip"),
        ),
        (
            r#"{"alg":"A256KW","enc":"A256CBC-HS512","crit":["b64"]}"#,
            JweError::Parameter("crit"),
        ),
        (r#"["A256KW"]"#, JweError::Header),
        ("{", JweError::Header),
    ] {
        assert_eq!(
            jwe::open(&seal(header, KEY, IV, b"content"), KEY),
            Err(expected),
            "{header}"
        );
    }
    let good = seal(HEADER, KEY, IV, b"content");
    for form in [
        "",
        ".",
        "....",
        "a.b.c.d",
        &format!("{good}."),
        &format!("{good}="),
        "!!.!!.!!.!!.!!",
    ] {
        assert!(
            matches!(jwe::open(form, KEY), Err(JweError::Form | JweError::Header)),
            "{form}"
        );
    }
}
