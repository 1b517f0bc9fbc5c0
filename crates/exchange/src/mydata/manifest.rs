//! The manifests of a package (`META-INFO/manifest.xml`): the outer says what became of each data set, the inner names
//! each file with its digest.

use crate::xml::{self, Element, Limits, XmlError};
use std::collections::BTreeMap;

/// Bounds of a manifest.
const LIMITS: Limits = Limits {
    elements: 20_000,
    depth: 16,
    text: 4096,
};

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not UTF-8.
    #[error("the manifest is not UTF-8")]
    Encoding,
    /// Larger than accepted.
    #[error("the manifest is larger than accepted")]
    TooLarge,
    /// Not an acceptable XML document.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// A value missing.
    #[error("a file of the manifest has no `{0}`")]
    Missing(&'static str),
    /// A value that can't be read.
    #[error("the `{name}` of `{file}` can't be read")]
    Value {
        /// Name of the value.
        name: &'static str,
        /// File it stands at.
        file: String,
    },
    /// A file named twice.
    #[error("the manifest names `{0}` twice")]
    Twice(String),
}

/// One line of the outer manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// File of the data set.
    pub filename: String,
    /// The data set.
    pub resource_id: String,
    /// Its name; may be empty.
    pub resource_name: String,
    /// What became of it: 200, 204, or the status of the agency that failed.
    pub code: u16,
}

/// Reads the outer manifest of at most `most` bytes.
///
/// # Errors
///
/// [`ManifestError`].
pub fn outer(bytes: &[u8], most: usize) -> Result<Vec<Line>, ManifestError> {
    let mut lines: Vec<Line> = Vec::new();
    for file in files(&root(bytes, most)?) {
        let need = |name| file.value(name).ok_or(ManifestError::Missing(name));
        let resource_id = need("resource_id")?.to_owned();
        let code = need("code")?;
        let code = code
            .parse()
            .ok()
            .filter(|code| (100..1000).contains(code))
            .ok_or_else(|| ManifestError::Value {
                name: "code",
                file: resource_id.clone(),
            })?;
        if lines.iter().any(|line| line.resource_id == resource_id) {
            return Err(ManifestError::Twice(resource_id));
        }
        let filename = match file.value("filename") {
            Some(name) => name.to_owned(),
            None => format!("{resource_id}.zip"),
        };
        let resource_name = file.value("resource_name").unwrap_or_default().to_owned();
        lines.push(Line {
            filename,
            resource_id,
            resource_name,
            code,
        });
    }
    Ok(lines)
}

/// Reads an inner manifest of at most `most` bytes: SHA-256 by file name, slashes forward.
///
/// # Errors
///
/// [`ManifestError`].
pub fn inner(bytes: &[u8], most: usize) -> Result<BTreeMap<String, [u8; 32]>, ManifestError> {
    let mut digests = BTreeMap::new();
    for file in files(&root(bytes, most)?) {
        let name = file
            .value("filename")
            .ok_or(ManifestError::Missing("filename"))?
            .replace('\\', "/");
        let digest = file.value("digest").ok_or(ManifestError::Missing("digest"))?;
        let mut value = [0; 32];
        hex::decode_to_slice(digest, &mut value).map_err(|_| ManifestError::Value {
            name: "digest",
            file: name.clone(),
        })?;
        if digests.insert(name.clone(), value).is_some() {
            return Err(ManifestError::Twice(name));
        }
    }
    Ok(digests)
}

/// Reads the document.
fn root(bytes: &[u8], most: usize) -> Result<Element, ManifestError> {
    if bytes.len() > most {
        return Err(ManifestError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ManifestError::Encoding)?;
    Ok(xml::parse(text.trim_start_matches('\u{feff}'), LIMITS)?)
}

/// The elements that describe a file, at any depth: they are those that hold a `filename` or a `resource_id`. The name
/// of the element around them is not known for certain.
fn files(root: &Element) -> Vec<&Element> {
    let mut found = Vec::new();
    let mut left = vec![root];
    while let Some(element) = left.pop() {
        if element.value("filename").is_some() || element.value("resource_id").is_some() {
            found.push(element);
        } else {
            left.extend(element.children.iter().rev());
        }
    }
    found
}
