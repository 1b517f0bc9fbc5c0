//! A QR code as SVG, made here: what it shows goes to no other server.

use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write as _;

/// Modules of white around the code, as the standard asks for.
const BORDER: i32 = 4;

/// The code of a text, with a name for those who can't see it; nothing for a text that is too long for one.
pub fn qr_svg(text: &str, name: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let side = code.size().saturating_add(BORDER.saturating_mul(2));
    let mut path = String::new();
    for y in 0..code.size() {
        for x in 0..code.size() {
            if code.get_module(x, y) {
                let (x, y) = (x.saturating_add(BORDER), y.saturating_add(BORDER));
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
    }
    let name = askama::filters::escape(name, askama::filters::Html).ok()?;
    Some(format!(
        "<svg class=\"qr\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{name}\" \
         shape-rendering=\"crispEdges\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::qr_svg;

    #[test]
    fn a_ticket_of_the_usual_length_is_a_code_and_a_book_is_none() {
        let code = qr_svg(&"a".repeat(700), "<name>").unwrap_or_default();
        assert!(
            code.starts_with("<svg") && code.contains("h1v1h-1z") && code.contains("&#60;name"),
            "{code}"
        );
        assert!(qr_svg(&"a".repeat(5000), "name").is_none());
    }
}
