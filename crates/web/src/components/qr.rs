//! A QR code, drawn on the server so that it is there without script.

use askama::Template;
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write as _;

/// Light modules around the code (ISO/IEC 18004): without them cameras don't find it.
const QUIET: i32 = 4;

/// A QR code as a picture with a name.
#[derive(Template, Clone, Debug)]
#[template(path = "components/qr.html")]
pub struct Qr {
    /// What it is, for who does not see it.
    pub label: String,
    /// Modules of a side, with the light ones around.
    pub side: i32,
    /// The dark modules, as the path of an SVG.
    pub path: String,
}

impl Qr {
    /// The code of a text; nothing where it is longer than a code can be (about 2,900 bytes). A screen is neither torn nor dirty, so the
    /// least correction does, and the modules are larger.
    #[must_use]
    pub fn new(label: String, text: &str) -> Option<Qr> {
        let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
        let size = code.size();
        let mut path = String::new();
        for y in 0..size {
            for x in (0..size).filter(|x| code.get_module(*x, y)) {
                // infallible: a String takes what is written
                let _ = write!(path, "M{},{}h1v1h-1z", x.saturating_add(QUIET), y.saturating_add(QUIET));
            }
        }
        Some(Qr {
            label,
            side: size.saturating_add(2 * QUIET),
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Qr;

    #[test]
    fn a_code_has_its_three_corners_and_a_light_edge() {
        let code = Qr::new("code".to_owned(), "modadigitalwallet://authorize?x=1").map(|code| (code.side, code.path));
        let (side, path) = code.unwrap_or_default();
        assert!(side >= 29, "{side}");
        let is_dark = |x: i32, y: i32| path.contains(&format!("M{x},{y}h"));
        for (x, y) in [(4, 4), (side - 5, 4), (4, side - 5)] {
            assert!(is_dark(x, y), "the corner of {x},{y}");
        }
        assert!((0..side).all(|at| !is_dark(at, 3) && !is_dark(3, at)));
        assert!(Qr::new(String::new(), &"x".repeat(5000)).is_none());
    }
}
