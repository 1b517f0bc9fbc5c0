//! Reading a message (RFC 5322, MIME): a header, its encoded words, the first text.

/// A header's value, folded lines joined.
pub fn header(source: &str, name: &str) -> Option<String> {
    let head = source
        .split("\r\n\r\n")
        .next()
        .unwrap_or(source)
        .replace("\r\n ", " ")
        .replace("\r\n\t", " ");
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// Words of RFC 2047 in base64 and Q, all of them UTF-8.
pub fn words(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some(at) = rest.find("=?") {
        let (plain, word) = rest.split_at(at);
        let mut parts = word.get(2..).unwrap_or("").splitn(3, '?');
        let (_, encoding, tail) = (parts.next(), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let Some((text, after)) = tail.split_once("?=") else {
            break;
        };
        if !plain.trim().is_empty() || out.is_empty() {
            out.push_str(plain);
        }
        let bytes = if encoding.eq_ignore_ascii_case("b") {
            openssl::base64::decode_block(text).unwrap_or_default()
        } else {
            quoted(&text.replace('_', " "))
        };
        out.push_str(&String::from_utf8_lossy(&bytes));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Quoted-printable (RFC 2045, 6.7).
fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.as_bytes();
    while let [first, rest @ ..] = bytes {
        bytes = rest;
        if *first != b'=' {
            out.push(*first);
            continue;
        }
        if let Some(after) = bytes.strip_prefix(b"\r\n").or_else(|| bytes.strip_prefix(b"\n")) {
            bytes = after;
        } else if let Some((pair, after)) = bytes.split_at_checked(2)
            && let Ok(byte) = u8::from_str_radix(&String::from_utf8_lossy(pair), 16)
        {
            out.push(byte);
            bytes = after;
        }
    }
    out
}

/// The text of a message: of its first text part, where it has several.
pub fn body(source: &str) -> String {
    text_part(source, 8)
}

/// `deeper` bounds how far parts within parts are followed.
fn text_part(source: &str, deeper: u8) -> String {
    let (_, content) = source.split_once("\r\n\r\n").unwrap_or(("", source));
    if deeper > 0
        && let Some(boundary) = header(source, "content-type").and_then(|kind| {
            let (_, rest) = kind.split_once("boundary=")?;
            Some(rest.split(';').next().unwrap_or(rest).trim_matches('"').to_owned())
        })
    {
        let mark = format!("--{boundary}");
        let part = content.split(mark.as_str()).nth(1).unwrap_or(content);
        return text_part(part.trim_start_matches("\r\n"), deeper - 1);
    }
    let encoding = header(source, "content-transfer-encoding")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let bytes = match encoding.as_str() {
        "base64" => openssl::base64::decode_block(&content.replace(['\r', '\n'], "")).unwrap_or_default(),
        "quoted-printable" => quoted(content),
        _ => content.as_bytes().to_vec(),
    };
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_bodies_are_read() {
        assert_eq!(words("=?utf-8?b?5oKo5aW9?= =?utf-8?q?=E5=A5=BD?="), "您好好");
        assert_eq!(
            body("Content-Transfer-Encoding: quoted-printable\r\n\r\n=E5=A5=BD=\r\n!"),
            "好!"
        );
        assert_eq!(
            body(
                "Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\n5aW9\r\n--x--"
            ),
            "好"
        );
    }

    #[test]
    fn parts_within_parts_end() {
        let head = "Content-Type: multipart/mixed; boundary=x\r\n";
        assert!(body(head).len() <= head.len());
        let nested = format!("{head}\r\n--x\r\n").repeat(5_000);
        assert!(body(&nested).len() < nested.len());
    }
}
