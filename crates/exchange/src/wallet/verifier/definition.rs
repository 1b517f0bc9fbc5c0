//! What is asked, as a presentation definition, and whether a submission answers it (DIF Presentation Exchange 2.0).

use super::VerifierError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A card with the claims to be shown of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Its type, such as `00000000_resident_card`.
    pub credential_type: String,
    /// Names of the claims below `credentialSubject`; no other is asked.
    pub claims: Vec<String>,
}

/// The definition of some cards.
pub(super) fn definition(id: &str, purpose: &str, wanted: &[Wanted]) -> Value {
    let descriptors: Vec<Value> = wanted
        .iter()
        .enumerate()
        .map(|(at, card)| {
            let mut fields = vec![json!({
                "path": ["$.vc.type", "$.type"],
                "filter": { "type": "array", "contains": { "const": card.credential_type } },
            })];
            fields.extend(card.claims.iter().map(|name| {
                let path = format!("credentialSubject.{name}");
                json!({ "path": [format!("$.vc.{path}"), format!("$.{path}")] })
            }));
            json!({
                "id": descriptor(at), "name": card.credential_type,
                "constraints": { "limit_disclosure": "required", "fields": fields },
            })
        })
        .collect();
    json!({ "id": id, "purpose": purpose, "input_descriptors": descriptors })
}

fn descriptor(at: usize) -> String {
    format!("card-{at}")
}

#[derive(Deserialize)]
struct Submission {
    definition_id: String,
    descriptor_map: Vec<Mapped>,
}

#[derive(Deserialize)]
struct Mapped {
    id: String,
    path: String,
    #[serde(default)]
    path_nested: Option<Box<Nested>>,
}

#[derive(Deserialize)]
struct Nested {
    path: String,
}

/// For each card asked, the place of the credential that answers it.
pub(super) fn places(
    text: &str,
    definition_id: &str,
    wanted: usize,
    shown: usize,
) -> Result<Vec<usize>, VerifierError> {
    let wrong = VerifierError::Submission;
    let submission: Submission =
        serde_json::from_str(text).map_err(|_| wrong("the submission is not the agreed JSON object"))?;
    if submission.definition_id != definition_id {
        return Err(wrong("the submission is for another definition"));
    }
    if submission.descriptor_map.len() != wanted {
        return Err(wrong("the submission answers more or fewer cards than asked"));
    }
    (0..wanted)
        .map(|at| {
            let id = descriptor(at);
            let mut found = submission.descriptor_map.iter().filter(|mapped| mapped.id == id);
            let mapped = found.next().ok_or(wrong("a card that was asked is missing"))?;
            if found.next().is_some() {
                return Err(wrong("a card is answered twice"));
            }
            let path = mapped.path_nested.as_ref().map_or(&mapped.path, |nested| &nested.path);
            let place = index(path).ok_or(wrong("a path of the submission can't be read"))?;
            match place < shown {
                true => Ok(place),
                false => Err(wrong("the submission names a credential that is not there")),
            }
        })
        .collect()
}

/// The place a path names: `$` is the only one, else the number in the last brackets.
fn index(path: &str) -> Option<usize> {
    if path == "$" {
        return Some(0);
    }
    let (before, number) = path.strip_suffix(']')?.rsplit_once('[')?;
    let known = ["$", "$.vp.verifiableCredential", "$.verifiableCredential", "$.vp_token"];
    (known.contains(&before) && number.len() <= 3)
        .then(|| number.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_paths_name_a_place() {
        for (path, place) in [
            ("$", Some(0)),
            ("$[2]", Some(2)),
            ("$.vp.verifiableCredential[1]", Some(1)),
            ("$.verifiableCredential[0]", Some(0)),
            ("$.else[0]", None),
            ("$[x]", None),
            ("$[-1]", None),
            ("$[99999999999999999999]", None),
            ("", None),
        ] {
            assert_eq!(index(path), place, "{path}");
        }
    }
}
