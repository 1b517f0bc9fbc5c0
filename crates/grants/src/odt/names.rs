//! Names that both directions share.

use super::OdtError;
use crate::plan::Plan;

/// Style of paragraphs that are printed for the reader and carry nothing.
pub(super) const LABEL: &str = "Label";
/// Start of the names of a table of the self-assessment.
pub(super) const ASSESSMENT: &str = "assessment";
/// Properties of the document (`meta:user-defined`).
pub(super) const PROPERTIES: [&str; 4] = [
    "tongban.programme",
    "tongban.government",
    "tongban.from",
    "tongban.through",
];
/// Property that says which version of each part the document was made from: a JSON object of names and numbers.
pub(super) const VERSIONS: &str = "tongban.versions";

/// The path of a field as the name of a bookmark: letters and digits as they are, everything else by its bytes, so that
/// no office program minds.
pub(super) fn encode(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("_{byte:02X}"));
        }
    }
    name
}

/// What [`encode`] was given.
pub(super) fn decode(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'_' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

impl Plan {
    /// The plan in the form that a document keeps: no empty texts and targets, line breaks as `\n`, no control characters.
    ///
    /// # Errors
    /// [`OdtError::Unprintable`] where the plan can't be written down at all.
    pub fn tidied(&self) -> Result<Plan, OdtError> {
        let unprintable = |_| OdtError::Unprintable("plan".to_owned());
        let mut value = serde_json::to_value(self).map_err(unprintable)?;
        tidy(&mut value);
        let mut plan: Plan = serde_json::from_value(value).map_err(unprintable)?;
        plan.texts.retain(|_, text| !text.is_empty());
        for indicator in &mut plan.indicators {
            indicator.targets.retain(|target| !target.text.is_empty());
        }
        Ok(plan)
    }
}

fn tidy(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => {
            let lines = text.replace("\r\n", "\n").replace('\r', "\n");
            *text = lines.chars().filter(|character| is_text(*character)).collect();
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(tidy),
        serde_json::Value::Object(values) => values.values_mut().for_each(tidy),
        _ => {}
    }
}

/// Characters that XML 1.0 can hold (2.2), but for control characters.
fn is_text(character: char) -> bool {
    matches!(character, '\n' | '\t') || !(character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}'))
}
