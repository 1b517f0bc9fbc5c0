//! Reading XML from outside: one small tree, with bounds, without DTD and without entities other than the five of XML.

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, XmlVersion};

/// Bounds of what is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most elements.
    pub elements: usize,
    /// Deepest nesting.
    pub depth: usize,
    /// Most bytes of text in one element.
    pub text: usize,
}

/// Why an XML document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Not well-formed.
    #[error("the XML is not well-formed at byte {at}: {what}")]
    Malformed {
        /// Byte where reading stopped.
        at: u64,
        /// What the reader found.
        what: String,
    },
    /// A document type declaration.
    #[error("the XML declares a document type, which is not accepted")]
    DocumentType,
    /// An entity other than `amp`, `lt`, `gt`, `quot`, `apos` or a character number.
    #[error("the XML uses an entity that XML itself does not define")]
    Entity,
    /// More elements, depth or text than allowed.
    #[error("the XML is larger than allowed: {0}")]
    TooLarge(&'static str),
}

/// An element with its text, attributes and children, by local names.
#[derive(Debug, Default)]
pub(crate) struct Element {
    /// Local name.
    pub name: String,
    /// Namespace, if bound.
    pub namespace: Option<String>,
    /// Text directly inside, trimmed.
    pub text: String,
    /// Attributes by local name.
    pub attributes: Vec<(String, String)>,
    /// Child elements in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of a name.
    pub fn each<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The element at a path of child names.
    pub fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The text at a path, if there is any.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)
            .map(|element| element.text.as_str())
            .filter(|text| !text.is_empty())
    }

    /// A value given as child element or as attribute.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.text_at(&[name]).or_else(|| {
            self.attributes
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        })
    }
}

/// Reads a document.
pub(crate) fn parse(text: &str, limits: Limits) -> Result<Element, XmlError> {
    parse_each(text, limits, |_, element| Some(element))
}

/// Reads a document; `each` sees every element but the root as it ends, with the elements it stands in, and gives it back
/// unless it has no more use for it. So a long list need not stand in memory.
pub(crate) fn parse_each(
    text: &str,
    limits: Limits,
    mut each: impl FnMut(&[Element], Element) -> Option<Element>,
) -> Result<Element, XmlError> {
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut count = 0_usize;
    loop {
        let at = reader.buffer_position();
        let malformed = |what: String| XmlError::Malformed { at, what };
        let (resolved, event) = reader
            .read_resolved_event()
            .map_err(|error| malformed(error.to_string()))?;
        match event {
            Event::Start(start) => {
                count = counted(count, open.len(), limits)?;
                open.push(element(resolved, &start, limits).map_err(|error| error.at(at))?);
            }
            Event::Empty(start) => {
                count = counted(count, open.len(), limits)?;
                let element = element(resolved, &start, limits).map_err(|error| error.at(at))?;
                if open.is_empty() {
                    return finish(reader, element);
                }
                if let (Some(element), Some(parent)) = (each(&open, element), open.last_mut()) {
                    parent.children.push(element);
                }
            }
            Event::End(_) => {
                let Some(mut element) = open.pop() else {
                    return Err(malformed("an end without a start".to_owned()));
                };
                element.text = element.text.trim().to_owned();
                if open.is_empty() {
                    return finish(reader, element);
                }
                if let (Some(element), Some(parent)) = (each(&open, element), open.last_mut()) {
                    parent.children.push(element);
                }
            }
            Event::Text(text) => {
                let text = text.xml_content(XmlVersion::Explicit1_0);
                add_text(&mut open, &text, limits)?;
            }
            Event::CData(text) => {
                let text = text.xml_content(XmlVersion::Explicit1_0);
                add_text(&mut open, &text, limits)?;
            }
            Event::GeneralRef(reference) => {
                let character = reference
                    .resolve_char_ref()
                    .map_err(|error| malformed(error.to_string()))?;
                let name = reference.xml_content(XmlVersion::Explicit1_0);
                match character {
                    Some(character) => add_text(&mut open, character.encode_utf8(&mut [0; 4]), limits)?,
                    None => {
                        let text = quick_xml::escape::resolve_xml_entity(&name).ok_or(XmlError::Entity)?;
                        add_text(&mut open, text, limits)?;
                    }
                }
            }
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return Err(malformed("the document ends too early".to_owned())),
        }
    }
}

impl XmlError {
    /// Puts the place into an error made where the place is not known.
    fn at(self, at: u64) -> XmlError {
        match self {
            XmlError::Malformed { what, .. } => XmlError::Malformed { at, what },
            other => other,
        }
    }
}

/// Counts one more element and refuses what is over the bounds.
fn counted(count: usize, depth: usize, limits: Limits) -> Result<usize, XmlError> {
    if count >= limits.elements {
        return Err(XmlError::TooLarge("too many elements"));
    }
    if depth >= limits.depth {
        return Err(XmlError::TooLarge("nested too deeply"));
    }
    Ok(count + 1)
}

/// Adds text to the innermost open element. Text outside the root may only be white space.
fn add_text(open: &mut [Element], text: &str, limits: Limits) -> Result<(), XmlError> {
    match open.last_mut() {
        Some(element) if element.text.len().saturating_add(text.len()) > limits.text => {
            Err(XmlError::TooLarge("too much text in one element"))
        }
        Some(element) => {
            element.text.push_str(text);
            Ok(())
        }
        None if text.trim_start_matches('\u{feff}').trim().is_empty() => Ok(()),
        None => Err(XmlError::Malformed {
            at: 0,
            what: "text outside the root element".to_owned(),
        }),
    }
}

/// Makes an element of its start tag.
fn element(resolved: ResolveResult<'_>, start: &BytesStart<'_>, limits: Limits) -> Result<Element, XmlError> {
    let malformed = |what: String| XmlError::Malformed { at: 0, what };
    let mut element = Element {
        name: start.local_name().as_ref().to_owned(),
        ..Element::default()
    };
    if let ResolveResult::Bound(namespace) = resolved {
        element.namespace = Some(namespace.as_ref().to_owned());
    }
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| malformed(error.to_string()))?;
        let value = attribute
            .normalized_value(XmlVersion::Explicit1_0)
            .map_err(|_| XmlError::Entity)?;
        if value.len() > limits.text {
            return Err(XmlError::TooLarge("too much text in one attribute"));
        }
        element
            .attributes
            .push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
    }
    Ok(element)
}

/// Checks that nothing but comments follows the root.
fn finish(mut reader: NsReader<&[u8]>, root: Element) -> Result<Element, XmlError> {
    loop {
        let at = reader.buffer_position();
        let malformed = |what: String| XmlError::Malformed { at, what };
        match reader.read_event().map_err(|error| malformed(error.to_string()))? {
            Event::Eof => return Ok(root),
            Event::Comment(_) | Event::PI(_) => {}
            Event::Text(text) if text.xml10_content().trim().is_empty() => {}
            _ => return Err(malformed("something follows the root element".to_owned())),
        }
    }
}
