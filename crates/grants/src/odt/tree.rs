//! XML as a tree with text and elements in their order, within bounds, without DTD and entities of its own.

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, XmlVersion};

use super::OdtError;

/// Most elements of a document.
const MOST_ELEMENTS: usize = 400_000;
/// Deepest nesting.
const DEEPEST: usize = 60;

/// Namespaces of ODF 1.3 that are read, with the prefix used here.
const NAMESPACES: [(&str, &str); 5] = [
    ("urn:oasis:names:tc:opendocument:xmlns:office:1.0", "office"),
    ("urn:oasis:names:tc:opendocument:xmlns:text:1.0", "text"),
    ("urn:oasis:names:tc:opendocument:xmlns:table:1.0", "table"),
    ("urn:oasis:names:tc:opendocument:xmlns:meta:1.0", "meta"),
    ("http://purl.org/dc/elements/1.1/", "dc"),
];

/// A piece of a document.
#[derive(Debug)]
pub(super) enum Node {
    Element(Element),
    Text(String),
}

/// An element; `name` has the prefix of [`NAMESPACES`], or none.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub name: String,
    /// By local name.
    attributes: Vec<(String, String)>,
    pub children: Vec<Node>,
}

impl Element {
    /// An attribute by its local name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The child elements.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// All text within, as it stands.
    pub fn whole_text(&self) -> String {
        let mut text = String::new();
        self.add_text(&mut text);
        text
    }

    fn add_text(&self, text: &mut String) {
        for node in &self.children {
            match node {
                Node::Text(own) => text.push_str(own),
                Node::Element(element) => element.add_text(text),
            }
        }
    }
}

/// Reads a document.
pub(super) fn parse(text: &str, file: &'static str) -> Result<Element, OdtError> {
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<Element> = vec![Element::default()];
    let mut count = 0_usize;
    loop {
        let at = reader.buffer_position();
        let damaged = OdtError::Damaged { file, at };
        let Ok((resolved, event)) = reader.read_resolved_event() else {
            return Err(damaged);
        };
        match event {
            Event::Start(start) | Event::Empty(start) if count >= MOST_ELEMENTS => {
                let _ = start;
                return Err(OdtError::TooLarge("too many elements"));
            }
            Event::Start(start) => {
                count += 1;
                if open.len() > DEEPEST {
                    return Err(OdtError::TooLarge("nested too deeply"));
                }
                open.push(element(&resolved, &start).ok_or(damaged)?);
            }
            Event::Empty(start) => {
                count += 1;
                let element = element(&resolved, &start).ok_or(damaged)?;
                if let Some(parent) = open.last_mut() {
                    parent.children.push(Node::Element(element));
                }
            }
            Event::End(_) => {
                let (Some(element), Some(parent)) = (open.pop(), open.last_mut()) else {
                    return Err(damaged);
                };
                parent.children.push(Node::Element(element));
            }
            Event::Text(text) => add(&mut open, &text.xml_content(XmlVersion::Explicit1_0)),
            Event::CData(text) => add(&mut open, &text.xml_content(XmlVersion::Explicit1_0)),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|_| damaged.clone())?;
                let name = reference.xml_content(XmlVersion::Explicit1_0);
                match character {
                    Some(character) => add(&mut open, character.encode_utf8(&mut [0; 4])),
                    None => add(&mut open, quick_xml::escape::resolve_xml_entity(&name).ok_or(damaged)?),
                }
            }
            Event::DocType(_) => return Err(OdtError::NotOdt("it declares a document type")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => {
                return match (open.pop(), open.is_empty()) {
                    (Some(root), true) => Ok(root),
                    _ => Err(damaged),
                };
            }
        }
    }
}

fn add(open: &mut [Element], text: &str) {
    let Some(parent) = open.last_mut() else { return };
    match parent.children.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ => parent.children.push(Node::Text(text.to_owned())),
    }
}

fn element(resolved: &ResolveResult<'_>, start: &BytesStart<'_>) -> Option<Element> {
    let local = start.local_name().as_ref().to_owned();
    let prefix = match resolved {
        ResolveResult::Bound(namespace) => NAMESPACES.iter().find(|(uri, _)| *uri == namespace.as_ref()),
        _ => None,
    };
    let mut element = Element {
        name: prefix.map_or(local.clone(), |(_, prefix)| format!("{prefix}:{local}")),
        ..Element::default()
    };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).ok()?;
        let key = attribute.key.local_name().as_ref().to_owned();
        element.attributes.push((key, value.into_owned()));
    }
    Some(element)
}
