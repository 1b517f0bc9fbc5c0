//! A page read as a browser reads it: elements, their attributes, texts and forms. A page whose tags don't close in order
//! stops the test.

use std::collections::BTreeMap;

/// Elements that have no content.
const VOID: [&str; 8] = ["meta", "link", "input", "br", "hr", "img", "wbr", "col"];

/// An element, or the whole page (without a name).
#[derive(Clone, Debug, Default)]
pub struct Element {
    pub name: String,
    attributes: BTreeMap<String, String>,
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
enum Node {
    Element(Element),
    Text(String),
}

/// Reads a page.
#[track_caller]
pub fn parse(source: &str) -> Element {
    let mut open = vec![Element::default()];
    let mut rest = source;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        put(&mut open, Node::Text(decoded(text)));
        let end = end_of_tag(tag);
        let (tag, after) = tag.split_at(end);
        rest = after;
        if tag.starts_with("<!") {
            continue;
        }
        if let Some(name) = tag.strip_prefix("</") {
            let name = name.trim_end_matches('>').trim();
            let closed = open.pop().unwrap();
            assert_eq!(closed.name, name, "`</{name}>` closes `<{}>` in\n{source}", closed.name);
            put(&mut open, Node::Element(closed));
            continue;
        }
        let element = element(tag);
        if tag.ends_with("/>") || VOID.contains(&element.name.as_str()) {
            put(&mut open, Node::Element(element));
        } else if ["script", "style"].contains(&element.name.as_str()) {
            let close = format!("</{}>", element.name);
            let (content, after) = rest.split_once(&close).unwrap_or_else(|| panic!("no `{close}`"));
            let content = vec![Node::Text(content.to_owned())];
            put(
                &mut open,
                Node::Element(Element {
                    nodes: content,
                    ..element
                }),
            );
            rest = after;
        } else {
            open.push(element);
        }
    }
    put(&mut open, Node::Text(decoded(rest)));
    let page = open.pop().unwrap();
    assert!(open.is_empty(), "`<{}>` is never closed in\n{source}", page.name);
    page
}

fn put(open: &mut [Element], node: Node) {
    open.last_mut().expect("more tags close than open").nodes.push(node);
}

/// Where a tag ends; a `>` in quotes ends none.
fn end_of_tag(tag: &str) -> usize {
    let mut quoted = false;
    for (at, letter) in tag.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '>' if !quoted => return at + 1,
            _ => {}
        }
    }
    panic!("`{}` does not end", &tag[..tag.len().min(80)]);
}

fn element(tag: &str) -> Element {
    let inner = tag.trim_start_matches('<').trim_end_matches('>').trim_end_matches('/');
    let (name, mut rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
    let mut attributes = BTreeMap::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted
                .split_once('"')
                .unwrap_or_else(|| panic!("an open quote in `{tag}`")),
            None => {
                assert!(!after.starts_with('='), "a value without quotes in `{tag}`");
                ("", after)
            }
        };
        let before = attributes.insert(key.to_owned(), decoded(value));
        assert!(before.is_none(), "`{key}` twice in `{tag}`");
        rest = after;
    }
    Element {
        name: name.to_owned(),
        attributes,
        nodes: Vec::new(),
    }
}

/// Character references as a browser reads them.
fn decoded(text: &str) -> String {
    let mut all = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        all.push_str(&rest[..at]);
        rest = &rest[at..];
        let name = rest.find(';').filter(|end| *end < 10).map(|end| &rest[1..end]);
        let letter = match name {
            Some("amp") => Some('&'),
            Some("lt") => Some('<'),
            Some("gt") => Some('>'),
            Some("quot") => Some('"'),
            Some("apos") => Some('\''),
            Some(name) => name
                .strip_prefix('#')
                .and_then(|number| match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok(),
                    None => number.parse().ok(),
                })
                .and_then(char::from_u32),
            None => None,
        };
        match (letter, name) {
            (Some(letter), Some(name)) => {
                all.push(letter);
                rest = &rest[name.len() + 2..];
            }
            _ => {
                all.push('&');
                rest = &rest[1..];
            }
        }
    }
    all + rest
}

impl Element {
    /// An attribute; empty where it is not there.
    pub fn attr(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    pub fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }

    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Everything inside, in the order of the page.
    pub fn walk(&self) -> Vec<&Element> {
        let mut found = Vec::new();
        for node in &self.nodes {
            if let Node::Element(element) = node {
                found.push(element);
                found.extend(element.walk());
            }
        }
        found
    }

    /// Elements of this name inside.
    pub fn all(&self, name: &str) -> Vec<&Element> {
        self.walk().into_iter().filter(|element| element.name == name).collect()
    }

    /// The only element of this name.
    #[track_caller]
    pub fn one(&self, name: &str) -> &Element {
        let found = self.all(name);
        assert_eq!(found.len(), 1, "`{name}` is there {} times", found.len());
        found[0]
    }

    /// The text inside, with single blanks.
    pub fn text(&self) -> String {
        let mut all = String::new();
        self.gather(&mut all);
        all.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn gather(&self, all: &mut String) {
        for node in &self.nodes {
            match node {
                Node::Text(text) => all.push_str(text),
                Node::Element(element) => element.gather(all),
            }
        }
    }

    /// Each piece of text with the element it stands in, as it is; scripts and styles left out.
    pub fn texts(&self) -> Vec<(&Element, &str)> {
        let mut found = Vec::new();
        for node in &self.nodes {
            match node {
                Node::Text(text) if !text.trim().is_empty() => found.push((self, text.as_str())),
                Node::Element(element) if !["script", "style"].contains(&element.name.as_str()) => {
                    found.extend(element.texts());
                }
                _ => {}
            }
        }
        found
    }

    /// What stands in a text area: a browser drops the first line break.
    fn typed(&self) -> String {
        let mut all = String::new();
        self.gather(&mut all);
        all.strip_prefix('\n').map_or(all.clone(), str::to_owned)
    }

    /// What stands in the first text area.
    #[track_caller]
    pub fn first_typed(&self) -> String {
        self.all("textarea").first().expect("no text area").typed()
    }

    /// The form that goes to an address with this end.
    #[track_caller]
    pub fn form(&self, action: &str) -> &Element {
        self.all("form")
            .into_iter()
            .find(|form| form.attr("action").ends_with(action))
            .unwrap_or_else(|| panic!("no form to `{action}`"))
    }

    /// The inputs, selects and text areas inside that people use.
    pub fn controls(&self) -> Vec<&Element> {
        let is_control = |element: &&Element| match element.name.as_str() {
            "input" => element.attr("type") != "hidden",
            "select" | "textarea" => true,
            _ => false,
        };
        self.walk().into_iter().filter(is_control).collect()
    }

    /// The value of the control of this name: what is typed, or what is chosen.
    #[track_caller]
    pub fn value(&self, name: &str) -> String {
        let sent = self.sent();
        let found = sent.into_iter().find(|(other, _)| other == name);
        found
            .map(|(_, value)| value)
            .unwrap_or_else(|| panic!("`{name}` is not sent"))
    }

    /// Names and values a browser sends for this form.
    pub fn sent(&self) -> Vec<(String, String)> {
        let mut sent = Vec::new();
        for element in self.walk() {
            let name = element.attr("name");
            if name.is_empty() {
                continue;
            }
            let value = match (element.name.as_str(), element.attr("type")) {
                ("input", "radio" | "checkbox") => element.has("checked").then(|| element.attr("value").to_owned()),
                ("input", "file") => None,
                ("input", _) => Some(element.attr("value").to_owned()),
                ("textarea", _) => Some(element.typed()),
                ("select", _) => {
                    let options = element.all("option");
                    let chosen = options.iter().find(|option| option.has("selected")).or(options.first());
                    chosen.map(|option| option.attr("value").to_owned())
                }
                _ => None,
            };
            sent.extend(value.map(|value| (name.to_owned(), value)));
        }
        sent
    }
}
