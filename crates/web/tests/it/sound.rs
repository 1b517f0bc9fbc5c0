//! What holds of every page, whoever it is for.

use std::collections::BTreeSet;

use civic::Language;
use web::texts::keys;

use crate::html::Element;
use crate::town::Page;

/// Most bytes of a page's HTML.
const LARGEST: usize = 60 * 1024;

/// Looks at a page in a language and tells everything that is wrong with it.
pub fn faults(page: &Page, language: Language) -> Vec<String> {
    let mut faults = Faults(Vec::new());
    answer(page, &mut faults);
    let html = page.html();
    document(&html, language, &mut faults);
    controls(&html, &mut faults);
    references(&html, &mut faults);
    strict(&html, &mut faults);
    words(&html, &mut faults);
    faults.0
}

/// A page without a fault.
#[track_caller]
pub fn sound(name: &str, page: &Page, language: Language) {
    let faults = faults(page, language);
    assert!(
        faults.is_empty(),
        "{name} in {}:\n{}\n\n{}",
        language.tag(),
        faults.join("\n"),
        page.text()
    );
}

struct Faults(Vec<String>);

impl Faults {
    fn unless(&mut self, holds: bool, what: impl Into<String>) {
        if !holds {
            self.0.push(what.into());
        }
    }
}

fn answer(page: &Page, faults: &mut Faults) {
    faults.unless(page.kind == "text/html; charset=utf-8", format!("type `{}`", page.kind));
    let bytes = page.bytes.len();
    faults.unless(bytes < LARGEST, format!("{bytes} bytes"));
    secured(page, faults);
    faults.unless(
        page.header("cache-control") == ["no-store"],
        format!("cache-control {:?}", page.header("cache-control")),
    );
}

fn secured(page: &Page, faults: &mut Faults) {
    let policy = page.header("content-security-policy");
    faults.unless(policy.len() == 1, format!("policies {policy:?}"));
    let policy = policy.concat();
    for part in [
        "default-src 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ] {
        faults.unless(policy.contains(part), format!("no `{part}` in `{policy}`"));
    }
    for word in ["unsafe", "data:", "*", "http:"] {
        faults.unless(!policy.contains(word), format!("`{word}` in `{policy}`"));
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        faults.unless(page.header(name) == [value], format!("{name}: {:?}", page.header(name)));
    }
}

/// The security headers of an answer that is no page.
#[track_caller]
pub fn guarded(page: &Page) {
    let mut faults = Faults(Vec::new());
    secured(page, &mut faults);
    assert!(faults.0.is_empty(), "{:?}", faults.0);
}

fn document(html: &Element, language: Language, faults: &mut Faults) {
    let root = html.one("html").attr("lang");
    faults.unless(root == language.html(), format!("language `{root}`"));
    let title = html.one("title").text();
    faults.unless(title.contains(" – "), format!("title `{title}`"));
    let headings: Vec<String> = html.all("h1").iter().map(|heading| heading.text()).collect();
    faults.unless(
        headings.len() == 1 && headings.iter().all(|heading| !heading.is_empty()),
        format!("first headings {headings:?}"),
    );
    let mut level = 1;
    for heading in html.walk().into_iter().filter(|one| is_heading(&one.name)) {
        let next: u32 = heading.name[1..].parse().unwrap();
        // a banner or an error summary stands before the first heading, with one of the second level
        faults.unless(next <= level + 1, format!("`{}` is a level too deep", heading.text()));
        level = next;
    }
    for name in ["header", "main", "footer"] {
        let found = html.all(name).len();
        faults.unless(found == 1, format!("{found} of `{name}`"));
    }
    let links = html.all("a");
    let skip = links.first().map_or("", |link| link.attr("href"));
    faults.unless(skip == "#main-content", format!("the first link goes to `{skip}`"));
    faults.unless(
        html.one("main").attr("id") == "main-content",
        "the skip link leads nowhere",
    );
    for nav in html.all("nav") {
        faults.unless(!nav.attr("aria-label").is_empty(), "a navigation without a name");
    }
    for link in links {
        faults.unless(
            !link.text().is_empty() && link.has("href"),
            format!("an empty link to `{}`", link.attr("href")),
        );
    }
    let size = html
        .all("meta")
        .iter()
        .any(|meta| meta.attr("name") == "viewport" && meta.attr("content") == "width=device-width, initial-scale=1");
    faults.unless(size, "the page can't be zoomed");
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

fn controls(html: &Element, faults: &mut Faults) {
    let labels = html.all("label");
    for control in html.controls() {
        let id = control.attr("id");
        let own: Vec<String> = labels
            .iter()
            .filter(|label| !id.is_empty() && label.attr("for") == id)
            .map(|label| label.text())
            .collect();
        let around = labels
            .iter()
            .any(|label| !label.text().is_empty() && label.walk().iter().any(|inner| std::ptr::eq(*inner, control)));
        faults.unless(
            around || (own.len() == 1 && !own[0].is_empty()),
            format!("`{}` has the labels {own:?}", control.attr("name")),
        );
        faults.unless(
            !control.attr("name").is_empty(),
            format!("control `{id}` is never sent"),
        );
    }
    for group in html.all("fieldset") {
        let legends = group.all("legend");
        faults.unless(
            legends.len() == 1 && !legends[0].text().is_empty(),
            "a group without a name",
        );
    }
    for choice in html.controls() {
        if ["radio", "checkbox"].contains(&choice.attr("type")) {
            let grouped = html
                .all("fieldset")
                .iter()
                .any(|group| group.walk().iter().any(|inner| std::ptr::eq(*inner, choice)));
            faults.unless(grouped, format!("`{}` stands in no group", choice.attr("name")));
        }
    }
    for button in html.all("button") {
        faults.unless(!button.text().is_empty(), "a button without words");
    }
    for form in html.all("form") {
        let action = form.attr("action");
        faults.unless(action.starts_with('/'), format!("a form goes to `{action}`"));
        faults.unless(!form.all("button").is_empty(), format!("`{action}` has no button"));
        if form.attr("method") == "post" {
            let token = form.sent().into_iter().find(|(name, _)| name == "_token");
            faults.unless(
                token.is_some_and(|(_, token)| token.len() >= 40),
                format!("the form to `{action}` has no token"),
            );
        }
    }
}

fn references(html: &Element, faults: &mut Faults) {
    let mut ids = BTreeSet::new();
    for element in html.walk() {
        let id = element.attr("id");
        faults.unless(
            id.is_empty() || ids.insert(id.to_owned()),
            format!("`{id}` names two elements"),
        );
    }
    for element in html.walk() {
        for name in ["aria-describedby", "aria-labelledby", "for"] {
            for id in element.attr(name).split_whitespace() {
                faults.unless(ids.contains(id), format!("{name} names `{id}`, which is not there"));
            }
        }
        if let Some(id) = element.attr("href").strip_prefix('#') {
            faults.unless(ids.contains(id), format!("a link leads to `#{id}`, which is not there"));
        }
    }
}

/// Nothing the content security policy would stop.
fn strict(html: &Element, faults: &mut Faults) {
    faults.unless(html.all("style").is_empty(), "a style sheet in the page");
    for script in html.all("script") {
        faults.unless(
            script.attr("src").starts_with("/assets/") && script.text().is_empty(),
            "a script in the page",
        );
    }
    for element in html.walk() {
        for (name, value) in element.attributes() {
            faults.unless(
                name != "style" && !name.starts_with("on"),
                format!("`{name}` on `{}`", element.name),
            );
            faults.unless(
                !["href", "src", "action"].contains(&name) || value.starts_with(['/', '#']),
                format!("`{name}` leads to `{value}`"),
            );
        }
    }
}

/// Words from the locale files, whole and with their values put in.
fn words(html: &Element, faults: &mut Faults) {
    let known = keys(Language::ZhTw);
    let stems: BTreeSet<&str> = known.iter().filter_map(|key| key.split('-').next()).collect();
    let names = ["aria-label", "title", "alt", "placeholder"];
    let attributes = html
        .walk()
        .into_iter()
        .flat_map(|element| {
            element
                .attributes()
                .filter(|(name, _)| names.contains(name))
                .collect::<Vec<_>>()
        })
        .map(|(_, value)| value.to_owned());
    let texts = html.texts().into_iter().map(|(_, text)| text.to_owned());
    for text in texts.chain(attributes) {
        faults.unless(
            !text.contains("{ $") && !text.contains("{$"),
            format!("`{text}` is not filled in"),
        );
        faults.unless(
            !text.contains("{ \"") && !text.contains("{{"),
            format!("`{text}` is not filled in"),
        );
        // `sign-in` is a word of English too
        for word in text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')) {
            if word == "sign-in" {
                continue;
            }
            let is_whole = text.trim() == word;
            let stem = word.split_once('-').map(|(stem, _)| stem);
            let is_known = stem.is_some() && known.contains(word);
            let is_like_one = is_whole && stem.is_some_and(|stem| stems.contains(stem));
            faults.unless(!(is_known || is_like_one), format!("`{word}` is a key, not a text"));
        }
    }
}
