//! The letter press: Typst in this process, shut off from the disk, the network and the clock.
//!
//! A template sees the files of its own `letters` folder and its data, nothing else. The font is read once for all
//! letters, and what Typst remembers of a letter is forgotten as soon as the letter is made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use rules::Mistake;
use serde_json::Value;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration as Span, Smart};
use typst::layout::{Frame, FrameItem};
use typst::syntax::{DiagSpan, FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use super::LetterError;
use crate::folder::mistake;

/// Most pages of a letter.
pub(super) const MOST_PAGES: usize = 40;
/// Most seconds for one letter.
pub(super) const MOST_SECONDS: u64 = 30;
/// Stack of the thread that makes a letter; nested content needs more than the usual two MiB.
const STACK: usize = 16 << 20;
/// The file in which a template finds its data.
const DATA: &str = "data.json";

/// Noto Sans TC, cut to the characters of public letters (see `fonts/make-subset.py`).
static FONT: &[u8] = include_bytes!("../../../../fonts/TongbanSansTC-Regular.otf");

/// What all letters share, made when the first letter is.
static PRESS: LazyLock<Option<Press>> = LazyLock::new(|| {
    let font = Font::new(Bytes::new(FONT), 0)?;
    Some(Press {
        library: LazyHash::new(Library::default()),
        book: LazyHash::new(FontBook::from_fonts([&font])),
        font,
    })
});

struct Press {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    font: Font,
}

fn press() -> Result<&'static Press, LetterError> {
    PRESS
        .as_ref()
        .ok_or_else(|| LetterError::Press("the letter font can't be read".to_owned()))
}

/// What came out.
pub(super) struct Made {
    pub pdf: Vec<u8>,
    pub pages: usize,
    pub warnings: Vec<Mistake>,
}

/// One letter: its files by their Typst id.
struct Sheet {
    press: &'static Press,
    main: FileId,
    sources: BTreeMap<String, Source>,
    files: BTreeMap<String, Bytes>,
}

impl Sheet {
    fn new(files: BTreeMap<String, Vec<u8>>, main: &str, data: String) -> Result<Self, LetterError> {
        let mut sheet = Self {
            press: press()?,
            main: id(main)?,
            sources: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        for (name, bytes) in files {
            if name.ends_with(".typ")
                && let Ok(text) = String::from_utf8(bytes.clone())
            {
                sheet.sources.insert(name.clone(), Source::new(id(&name)?, text));
            }
            sheet.files.insert(name, Bytes::new(bytes));
        }
        sheet.files.insert(DATA.to_owned(), Bytes::from_string(data));
        Ok(sheet)
    }

    /// The name of a file within `letters/`; none for files of packages.
    fn name(id: FileId) -> FileResult<&'static str> {
        let path = id.get();
        match path.root() {
            VirtualRoot::Project => Ok(path.vpath().get_without_slash()),
            VirtualRoot::Package(_) => Err(FileError::AccessDenied),
        }
    }

    /// What the typesetter says, at its place.
    fn said(&self, diagnostic: &SourceDiagnostic) -> Mistake {
        let hint = diagnostic.hints.first().map(|hint| hint.v.to_string());
        let name = diagnostic.span.id().and_then(|id| Self::name(id).ok());
        let place = name
            .and_then(|name| self.sources.get(name))
            .and_then(|source| place(source, self.range(diagnostic.span)?.start));
        let (line, column) = place.unwrap_or((0, 0));
        let file = format!(
            "letters/{}",
            name.or_else(|| Self::name(self.main).ok()).unwrap_or_default()
        );
        mistake(&file, line, column, diagnostic.message.to_string(), hint)
    }

    /// The first of its errors.
    fn error(&self, errors: &[SourceDiagnostic]) -> LetterError {
        match errors.first() {
            Some(first) => LetterError::Template(Box::new(self.said(first))),
            None => LetterError::Press("the typesetter failed without a word".to_owned()),
        }
    }

    fn make(&self, ident: String) -> Result<Made, LetterError> {
        let made = typst::compile::<PagedDocument>(self);
        let document = made.output.map_err(|errors| self.error(&errors))?;
        let pages = document.pages().len();
        if pages > MOST_PAGES {
            return Err(LetterError::TooLong(pages));
        }
        let mut boxes = BTreeSet::new();
        document
            .pages()
            .iter()
            .for_each(|page| empty_boxes(&page.frame, &mut boxes));
        if !boxes.is_empty() {
            return Err(LetterError::NotInFont(named(&boxes)));
        }
        let standards =
            PdfStandards::new(&[PdfStandard::Ua_1]).map_err(|error| LetterError::Press(error.message().to_string()))?;
        let options = PdfOptions {
            ident: Smart::Custom(ident),
            creator: Smart::Custom(Some("Tongban".to_owned())),
            timestamp: None,
            page_ranges: None,
            standards,
            tagged: true,
            pretty: false,
        };
        let pdf = typst_pdf::pdf(&document, &options).map_err(|errors| self.error(&errors))?;
        Ok(Made {
            pdf,
            pages,
            warnings: made.warnings.iter().map(|warning| self.said(warning)).collect(),
        })
    }
}

impl World for Sheet {
    fn library(&self) -> &LazyHash<Library> {
        &self.press.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.press.book
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let name = Self::name(id)?;
        self.sources
            .get(name)
            .cloned()
            .ok_or_else(|| FileError::NotFound(name.into()))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let name = Self::name(id)?;
        self.files
            .get(name)
            .cloned()
            .ok_or_else(|| FileError::NotFound(name.into()))
    }

    fn font(&self, index: usize) -> Option<Font> {
        (index == 0).then(|| self.press.font.clone())
    }

    /// A letter's day is in its data; a template that asks the clock would not give the same letter twice.
    fn today(&self, _: Option<Span>) -> Option<Datetime> {
        None
    }
}

fn id(name: &str) -> Result<FileId, LetterError> {
    let path = VirtualPath::new(name).map_err(|_| LetterError::Press(format!("`{name}` is no name for a file")))?;
    Ok(FileId::new(RootedPath::new(VirtualRoot::Project, path)))
}

/// Line and column, from 1, of a byte offset.
pub(super) fn place(source: &Source, offset: usize) -> Option<(usize, usize)> {
    source
        .lines()
        .byte_to_line_column(offset)
        .map(|(line, column)| (line + 1, column + 1))
}

/// Makes a letter in a thread of its own, and gives up on it after a while.
pub(super) fn make(
    files: BTreeMap<String, Vec<u8>>,
    main: String,
    data: String,
    ident: String,
) -> Result<Made, LetterError> {
    let (done, wait) = mpsc::sync_channel(1);
    let work = move || {
        let made = Sheet::new(files, &main, data).and_then(|sheet| sheet.make(ident));
        // nothing of a letter stays in memory
        typst::comemo::evict(0);
        // nobody listens any more when it took too long
        let _ = done.send(made);
    };
    std::thread::Builder::new()
        .name("letter".to_owned())
        .stack_size(STACK)
        .spawn(work)
        .map_err(|error| LetterError::Press(error.to_string()))?;
    match wait.recv_timeout(Duration::from_secs(MOST_SECONDS)) {
        Ok(made) => made,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(LetterError::TooSlow),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(LetterError::Press("the typesetter stopped".to_owned())),
    }
}

/// Characters that a font need not draw.
fn unseen(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0100}'..='\u{e01ef}')
}

/// The data with each character that the font lacks written as `〔U+20BB7〕`, and those characters.
pub(super) fn in_font(data: &Value) -> Result<(Value, Vec<char>), LetterError> {
    let coverage = &press()?.font.info().coverage;
    let mut missing = BTreeSet::new();
    let mut write = |text: &str| -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if unseen(c) && !c.is_whitespace() && c != '\n' {
                // marks without a shape, such as variation selectors, would only confuse a reader of the PDF
            } else if unseen(c) || coverage.contains(u32::from(c)) {
                out.push(c);
            } else {
                out.push_str(&format!("〔U+{:04X}〕", u32::from(c)));
                missing.insert(c);
            }
        }
        out
    };
    let written = rewrite(data, &mut write);
    Ok((written, missing.into_iter().collect()))
}

fn rewrite(value: &Value, write: &mut dyn FnMut(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(write(text)),
        Value::Array(values) => Value::Array(values.iter().map(|value| rewrite(value, write)).collect()),
        Value::Object(values) => Value::Object(
            values
                .iter()
                .map(|(key, value)| (key.clone(), rewrite(value, write)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Characters that came out as empty boxes.
fn empty_boxes(frame: &Frame, found: &mut BTreeSet<char>) {
    for (_, item) in frame.items() {
        match item {
            FrameItem::Group(group) => empty_boxes(&group.frame, found),
            FrameItem::Text(text) => {
                for glyph in text.glyphs.iter().filter(|glyph| glyph.id == 0) {
                    found.extend(
                        text.text
                            .get(glyph.range())
                            .unwrap_or("")
                            .chars()
                            .filter(|c| !unseen(*c)),
                    );
                }
            }
            _ => {}
        }
    }
}

/// `「𠮷」 (U+20BB7)` for each.
fn named(characters: &BTreeSet<char>) -> String {
    let each: Vec<String> = characters
        .iter()
        .map(|c| format!("「{c}」 (U+{:04X})", u32::from(*c)))
        .collect();
    each.join(", ")
}

/// The offset a diagnostic of a single source points at.
pub(super) fn offset(source: &Source, span: DiagSpan) -> usize {
    match span.get() {
        typst::syntax::DiagSpanKind::Number { num, sub_range, .. } => {
            source.range(num, sub_range).map_or(0, |range| range.start)
        }
        typst::syntax::DiagSpanKind::Range { range, .. } => range.start,
        typst::syntax::DiagSpanKind::Detached => 0,
    }
}
