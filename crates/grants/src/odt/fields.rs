//! The self-assessment from the bookmarks of a document.

use std::collections::BTreeMap;

use serde_json::Value;

use super::OdtError;
use super::names::{ASSESSMENT, decode};
use crate::assessment::Assessment;

/// A field of the self-assessment from a bookmark and the text it holds.
pub(super) fn field(name: &str, text: String) -> Option<(String, Value)> {
    let mut parts = name.split('-');
    match (parts.next()?, parts.next()?, parts.next(), parts.next()) {
        ("a", path, None, None) => Some((decode(path)?, Value::String(text))),
        ("h", "s", Some(path), Some(value)) => Some((decode(path)?, Value::String(decode(value)?))),
        ("h", "v", Some(path), Some(value)) => Some((decode(path)?, serde_json::from_str(&decode(value)?).ok()?)),
        _ => None,
    }
}

pub(super) fn assessment(fields: Vec<(String, Value)>) -> Result<Assessment, OdtError> {
    if fields.is_empty() {
        return Ok(Assessment::default());
    }
    let prefix = format!("{ASSESSMENT}.");
    let mut root = Branch::default();
    for (path, value) in fields {
        if let Some(path) = path.strip_prefix(&prefix) {
            root.put(path.split('.'), value);
        }
    }
    serde_json::from_value(root.value()).map_err(|error| OdtError::Assessment(error.to_string()))
}

/// Fields by their paths, on the way to become a value.
#[derive(Default)]
struct Branch {
    leaf: Option<Value>,
    below: BTreeMap<String, Branch>,
}

impl Branch {
    fn put<'a>(&mut self, path: impl Iterator<Item = &'a str>, value: Value) {
        // a path is as deep as the model; a longer one is nobody's
        let mut here = self;
        for key in path.take(8) {
            here = here.below.entry(key.to_owned()).or_default();
        }
        here.leaf = Some(value);
    }

    fn value(self) -> Value {
        if let Some(leaf) = self.leaf {
            return leaf;
        }
        let numbered: Option<BTreeMap<usize, &str>> = self
            .below
            .keys()
            .map(|key| Some((key.parse().ok()?, key.as_str())))
            .collect();
        match numbered {
            Some(order) if !order.is_empty() => {
                let order: Vec<String> = order.into_values().map(str::to_owned).collect();
                let mut below = self.below;
                let values = order.iter().filter_map(|key| below.remove(key));
                Value::Array(values.map(Branch::value).collect())
            }
            _ => Value::Object(
                self.below
                    .into_iter()
                    .map(|(key, branch)| (key, branch.value()))
                    .collect(),
            ),
        }
    }
}
