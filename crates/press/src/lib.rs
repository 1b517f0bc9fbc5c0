//! The press: Typst in this process, shut off from the disk, the network and the clock. What comes out is tagged PDF/UA-1.
//!
//! A template sees the files that are handed in with it and its data, nothing else. What the data holds is text and never
//! taken for markup. The font is read once for all documents, and what Typst remembers of a document is forgotten as soon
//! as it is made. The same files and data give the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use serde_json::Value;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration as Span, Smart};
use typst::layout::{Frame, FrameItem};
use typst::syntax::{DiagSpan, DiagSpanKind, FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

/// How large a document may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Most bytes of its data as JSON.
    pub bytes: usize,
    /// Most pages.
    pub pages: usize,
    /// Most seconds until it is made.
    pub seconds: u64,
}

/// What the typesetter says, at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The file, as it was handed in.
    pub file: String,
    /// Line, from 1; 0 where the place is not known.
    pub line: usize,
    /// Column, from 1; 0 where the place is not known.
    pub column: usize,
    /// What it says. It may quote the template, never the data.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Why a document could not be made. No message carries its data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PressError {
    /// The template has a mistake, or does not fit the data.
    #[error("{}:{}:{}: {}; mend the template", .0.file, .0.line, .0.column, .0.message)]
    Template(Box<Remark>),
    /// The template itself uses characters that the font does not have.
    #[error("the font has no {0}; write the template with other characters")]
    NotInFont(String),
    /// The data is larger than the bounds allow.
    #[error("the document's data has {0} bytes, more than allowed; make it from less")]
    TooMuch(usize),
    /// More pages than the bounds allow.
    #[error("the document has {0} pages, more than allowed; make it from less")]
    TooLong(usize),
    /// It takes longer than the bounds allow.
    #[error("the document was not ready after {0} seconds; look for a loop in its template")]
    TooSlow(u64),
    /// The press itself does not work.
    #[error("the press does not work: {0}")]
    Broken(String),
}

/// A document that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The PDF (PDF/UA-1).
    pub pdf: Vec<u8>,
    /// How many pages it has.
    pub pages: usize,
    /// Characters of the data that the font does not have, such as rare ones in names. In the document each stands as
    /// `〔U+20BB7〕`, never as an empty box.
    pub missing: Vec<char>,
    /// What the typesetter wants looked at.
    pub warnings: Vec<Remark>,
}

/// Stack of the thread that makes a document; nested content needs more than the usual two MiB.
const STACK: usize = 16 << 20;
/// The file in which a template finds its data.
const DATA: &str = "data.json";

/// Noto Sans TC, cut to the characters of public documents (see `fonts/make-subset.py`).
static FONT: &[u8] = include_bytes!("../../../fonts/TongbanSansTC-Regular.otf");

/// What all documents share, made when the first one is.
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

fn press() -> Result<&'static Press, PressError> {
    PRESS
        .as_ref()
        .ok_or_else(|| PressError::Broken("its font can't be read".to_owned()))
}

/// One document: its files by their Typst id.
struct Sheet {
    press: &'static Press,
    main: FileId,
    sources: BTreeMap<String, Source>,
    files: BTreeMap<String, Bytes>,
}

impl Sheet {
    fn new(files: BTreeMap<String, Vec<u8>>, main: &str, data: String) -> Result<Self, PressError> {
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

    /// The name of a file as it was handed in; none for files of packages.
    fn name(id: FileId) -> FileResult<&'static str> {
        let path = id.get();
        match path.root() {
            VirtualRoot::Project => Ok(path.vpath().get_without_slash()),
            VirtualRoot::Package(_) => Err(FileError::AccessDenied),
        }
    }

    /// What the typesetter says, at its place.
    fn said(&self, diagnostic: &SourceDiagnostic) -> Remark {
        let hint = diagnostic.hints.first().map(|hint| hint.v.to_string());
        let name = diagnostic.span.id().and_then(|id| Self::name(id).ok());
        let place = name
            .and_then(|name| self.sources.get(name))
            .and_then(|source| place(source, self.range(diagnostic.span)?.start));
        let (line, column) = place.unwrap_or((0, 0));
        let file = name.or_else(|| Self::name(self.main).ok()).unwrap_or_default();
        Remark {
            file: file.to_owned(),
            line,
            column,
            message: diagnostic.message.to_string(),
            hint,
        }
    }

    /// The first of its errors.
    fn error(&self, errors: &[SourceDiagnostic]) -> PressError {
        match errors.first() {
            Some(first) => PressError::Template(Box::new(self.said(first))),
            None => PressError::Broken("the typesetter failed without a word".to_owned()),
        }
    }

    fn make(&self, ident: String, most_pages: usize) -> Result<Made, PressError> {
        let made = typst::compile::<PagedDocument>(self);
        let document = made.output.map_err(|errors| self.error(&errors))?;
        let pages = document.pages().len();
        if pages > most_pages {
            return Err(PressError::TooLong(pages));
        }
        let mut boxes = BTreeSet::new();
        document
            .pages()
            .iter()
            .for_each(|page| empty_boxes(&page.frame, &mut boxes));
        if !boxes.is_empty() {
            return Err(PressError::NotInFont(named(&boxes)));
        }
        let standards =
            PdfStandards::new(&[PdfStandard::Ua_1]).map_err(|error| PressError::Broken(error.message().to_string()))?;
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
            missing: Vec::new(),
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

    /// A document's day is in its data; a template that asks the clock would not give the same document twice.
    fn today(&self, _: Option<Span>) -> Option<Datetime> {
        None
    }
}

fn id(name: &str) -> Result<FileId, PressError> {
    let path = VirtualPath::new(name).map_err(|_| PressError::Broken(format!("`{name}` is no name for a file")))?;
    Ok(FileId::new(RootedPath::new(VirtualRoot::Project, path)))
}

/// Line and column, from 1, of a byte offset.
fn place(source: &Source, offset: usize) -> Option<(usize, usize)> {
    source
        .lines()
        .byte_to_line_column(offset)
        .map(|(line, column)| (line + 1, column + 1))
}

/// Makes a document of the template `main` among `files`, which finds `data` as `data.json`. It is made in a thread of its
/// own, which is given up after a while; the caller waits. `ident` goes into the identifier of the file.
///
/// # Errors
/// [`PressError`].
pub fn make(
    files: BTreeMap<String, Vec<u8>>,
    main: &str,
    data: &Value,
    ident: &str,
    bounds: Bounds,
) -> Result<Made, PressError> {
    let (data, missing) = in_font(data)?;
    let text = serde_json::to_string(&data).map_err(|error| PressError::Broken(error.to_string()))?;
    if text.len() > bounds.bytes {
        return Err(PressError::TooMuch(text.len()));
    }
    let (done, wait) = mpsc::sync_channel(1);
    let (main, ident) = (main.to_owned(), ident.to_owned());
    let work = move || {
        let made = Sheet::new(files, &main, text).and_then(|sheet| sheet.make(ident, bounds.pages));
        // nothing of a document stays in memory
        typst::comemo::evict(0);
        // nobody listens any more when it took too long
        let _ = done.send(made);
    };
    std::thread::Builder::new()
        .name("press".to_owned())
        .stack_size(STACK)
        .spawn(work)
        .map_err(|error| PressError::Broken(error.to_string()))?;
    match wait.recv_timeout(Duration::from_secs(bounds.seconds)) {
        Ok(made) => made.map(|made| Made { missing, ..made }),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(PressError::TooSlow(bounds.seconds)),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(PressError::Broken("the typesetter stopped".to_owned())),
    }
}

/// Mistakes of syntax in a template, found without making a document of it.
#[must_use]
pub fn syntax(file: &str, text: &str) -> Vec<Remark> {
    let source = Source::detached(text);
    let errors = source.root().errors_and_warnings().0;
    errors
        .iter()
        .map(|error| {
            let (line, column) = place(&source, offset(&source, error.span)).unwrap_or((0, 0));
            Remark {
                file: file.to_owned(),
                line,
                column,
                message: error.message.to_string(),
                hint: error.hints.first().map(|hint| hint.v.to_string()),
            }
        })
        .collect()
}

/// Characters that a font need not draw.
fn unseen(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0100}'..='\u{e01ef}')
}

/// The data with each character that the font lacks written as `〔U+20BB7〕`, and those characters.
fn in_font(data: &Value) -> Result<(Value, Vec<char>), PressError> {
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
fn offset(source: &Source, span: DiagSpan) -> usize {
    match span.get() {
        DiagSpanKind::Number { num, sub_range, .. } => source.range(num, sub_range).map_or(0, |range| range.start),
        DiagSpanKind::Range { range, .. } => range.start,
        DiagSpanKind::Detached => 0,
    }
}
