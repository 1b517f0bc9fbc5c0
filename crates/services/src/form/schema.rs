//! The form as JSON Schema, for callers of the API. It says shape and limits; source, consent, order and condition stand
//! in the form itself.

use civic::Language;
use serde_json::{Map, Value, json};

use super::model::{Ask, Choice, Field, FieldKind, Form};

impl Form {
    /// A JSON Schema (2020-12) of the answers: fields of the application by id, groups as arrays of their items.
    pub fn json_schema(&self, id: &str, language: Language) -> Value {
        let mut root = Map::new();
        let mut required = Vec::new();
        for page in self.pages.iter().filter(|page| page.group.is_none()) {
            for field in &page.fields {
                root.insert(field.id.clone(), property(field, language));
                if field.required && field.ask == Ask::Always && field.when.is_none() && page.when.is_none() {
                    required.push(field.id.clone());
                }
            }
        }
        for group in &self.groups {
            let mut item = Map::new();
            for page in self
                .pages
                .iter()
                .filter(|page| page.group.as_deref() == Some(&group.id))
            {
                for field in &page.fields {
                    item.insert(field.id.clone(), property(field, language));
                }
            }
            let items = json!({ "type": "object", "additionalProperties": false, "properties": item });
            root.insert(
                group.id.clone(),
                json!({ "type": "array", "title": group.title.get(language), "maxItems": group.max, "items": items }),
            );
        }
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": format!("urn:tongban:form:{id}"),
            "type": "object",
            "additionalProperties": false,
            "required": required,
            "properties": root,
        })
    }
}

fn property(field: &Field, language: Language) -> Value {
    let mut schema = match &field.kind {
        FieldKind::Text { max_length } | FieldKind::TextArea { max_length } => {
            json!({ "type": "string", "maxLength": max_length })
        }
        FieldKind::Integer { min, max } | FieldKind::Money { min, max } => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        FieldKind::Date { .. } => json!({ "type": "string", "format": "date" }),
        FieldKind::YesNo => json!({ "type": "boolean" }),
        FieldKind::Radios(choices) | FieldKind::Select(choices) => json!({ "type": "string", "enum": values(choices) }),
        FieldKind::Checkboxes(choices) => {
            json!({ "type": "array", "uniqueItems": true, "items": { "type": "string", "enum": values(choices) } })
        }
        FieldKind::NationalId => json!({ "type": "string", "pattern": "^[A-Z][A-Z0-9][0-9]{8}$" }),
        FieldKind::Phone => json!({ "type": "string", "pattern": "^0[0-9]{8,9}$" }),
        FieldKind::Email => json!({ "type": "string", "format": "email", "maxLength": 254 }),
        FieldKind::Address => json!({ "type": "string", "maxLength": 200 }),
        FieldKind::BankAccount => json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["bank", "account"],
            "properties": {
                "bank": { "type": "string", "pattern": "^([0-9]{3}|[0-9]{7})$" },
                "account": { "type": "string", "pattern": "^[0-9]{10,16}$" },
            },
        }),
        FieldKind::File { .. } => {
            json!({ "type": "string", "format": "uuid", "description": "id of an uploaded file" })
        }
    };
    if let Value::Object(schema) = &mut schema {
        schema.insert("title".to_owned(), field.label.get(language).into());
    }
    schema
}

fn values(choices: &[Choice]) -> Vec<&str> {
    choices.iter().map(|choice| choice.value.as_str()).collect()
}
