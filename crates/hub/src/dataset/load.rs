//! Reading a dataset folder, and everything that can be wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use civic::{Language, Mistake, Text};
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::file::{ColumnTable, DatasetTable, LookupTable, OneOrMany};
use super::{
    Column, Dataset, DateFormat, Encoding, FILE, Format, Kind, Lookup, Mode, Operation, Personal, Refresh, Report,
    Retention, Severity, Source, quality,
};
use crate::folder::{TextFile, did_you_mean};

/// Most columns of a dataset.
const MOST_COLUMNS: usize = 500;
/// Most columns that a lookup asks by.
const MOST_KEYS: usize = 4;
/// Longest time in seconds that answers come from one version without looking for a later one.
const MOST_CACHED: u32 = 86_400;
/// Widest fixed field, in bytes.
const WIDEST: usize = 4096;

/// The name of a folder.
pub(super) fn id(folder: &Path) -> String {
    folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Reads a folder; the dataset is there when it could be put together, sound or not.
pub(super) fn read(folder: &Path) -> (Option<Dataset>, Report) {
    let mut report = Report::default();
    let file = match TextFile::read(folder, FILE) {
        Ok(file) => file,
        Err(mistake) => {
            report.mistakes.push(mistake);
            return (None, report);
        }
    };
    let table: DatasetTable = match file.parse() {
        Ok(table) => table,
        Err(mistake) => {
            report.mistakes.push(mistake);
            return (None, report);
        }
    };
    let mut reader = Reader {
        folder,
        file: &file,
        digest: Sha256::new(),
        report,
    };
    reader.digest.update(file.text.as_bytes());
    let dataset = reader.dataset(table);
    (Some(dataset), reader.report)
}

struct Reader<'a> {
    folder: &'a Path,
    file: &'a TextFile,
    digest: Sha256,
    report: Report,
}

/// The columns of a code list.
#[derive(serde::Deserialize)]
struct CodeRow {
    code: String,
    zh: String,
    #[serde(default)]
    en: String,
}

impl Reader<'_> {
    fn tell<T>(&mut self, at: &Spanned<T>, message: impl Into<String>, suggestion: impl Into<Option<String>>) {
        let mistake = self.file.mistake(&at.span(), message, suggestion);
        self.report.mistakes.push(mistake);
    }

    fn dataset(&mut self, table: DatasetTable) -> Dataset {
        let id = id(self.folder);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(plain) {
            self.tell(
                &table.title,
                format!("the folder `{id}` can't name a dataset"),
                "use small letters, digits and hyphens, a letter first".to_owned(),
            );
        }
        for language in [Language::ZhTw, Language::En] {
            if table.title.get_ref().own(language).is_none_or(str::is_empty) {
                self.tell(
                    &table.title,
                    format!("the title is missing in `{}`", language.tag()),
                    "write it, as `title = { \"zh-TW\" = \"…\", en = \"…\" }`".to_owned(),
                );
            }
        }
        if table.legal_basis.get_ref().is_empty() {
            self.tell(
                &table.legal_basis,
                "a dataset without a legal basis may not be kept",
                "name the article, as `legal_basis = [\"停車場法 §13\"]`".to_owned(),
            );
        }
        let columns = self.columns(&table.column);
        let personal = columns.iter().any(|column| column.personal != Personal::None);
        if personal && table.purposes.is_empty() {
            self.tell(
                &table.legal_basis,
                "personal data may not be used without a purpose",
                "name a code of 特定目的, as `purposes = [\"065\"]`".to_owned(),
            );
        }
        let source = self.source(&table, &columns);
        let rules: Vec<_> = table
            .quality
            .iter()
            .filter_map(|rule| quality::read(self.file, rule, &columns, &mut self.report.mistakes))
            .collect();
        let mut names = BTreeSet::new();
        for rule in &table.quality {
            if !names.insert(&rule.get_ref().name) {
                let message = format!("two rules are called `{}`", rule.get_ref().name);
                self.tell(
                    rule,
                    message,
                    "reports would not tell them apart; rename one".to_owned(),
                );
            }
            let of_load = ["fresh", "rows_change", "rejects_at_most"];
            if rule.get_ref().severity == Severity::Reject && of_load.contains(&rule.get_ref().check.get_ref().as_str())
            {
                self.tell(
                    &rule.get_ref().check,
                    "this check looks at the whole load, so it can't reject a row",
                    "write `severity = \"hold\"` or `\"warn\"`".to_owned(),
                );
            }
        }
        let retention = self.retention(&table, &columns);
        let lookup = table.lookup.as_ref().map(|lookup| self.lookup(lookup, &columns));
        let purposes = table.purposes.clone();
        self.report.columns = columns.len();
        self.report.rules = rules.len();
        Dataset {
            digest: hex::encode(std::mem::take(&mut self.digest).finalize()),
            id,
            folder: self.folder.to_path_buf(),
            title: table.title.into_inner(),
            description: table.description,
            steward: table.steward,
            legal_basis: table.legal_basis.into_inner(),
            purposes,
            refresh: Refresh {
                every: table.refresh.every,
                expected_by_day: table.refresh.expected_by_day,
            },
            retention,
            lookup,
            source,
            columns,
            quality: rules,
        }
    }

    fn columns(&mut self, tables: &[Spanned<ColumnTable>]) -> Vec<Column> {
        let mut found: Vec<Column> = Vec::new();
        if tables.is_empty() || tables.len() > MOST_COLUMNS {
            let mistake = self.file.mistake(
                &(0..0),
                format!("a dataset has 1 to {MOST_COLUMNS} columns, this one {}", tables.len()),
                Some("write a `[[column]]` for each".to_owned()),
            );
            self.report.mistakes.push(mistake);
        }
        for table in tables {
            let column = self.column(table.get_ref());
            let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let name = &table.get_ref().name;
            if !column.name.starts_with(|c: char| c.is_ascii_lowercase()) || !column.name.chars().all(word) {
                self.tell(
                    name,
                    format!("`{}` can't name a column", column.name),
                    "use small letters, digits and underscores, a letter first".to_owned(),
                );
            }
            if found.iter().any(|other| other.name == column.name) {
                self.tell(
                    name,
                    format!("there are two columns `{}`", column.name),
                    "rename one".to_owned(),
                );
            }
            found.push(column);
        }
        found
    }

    fn column(&mut self, table: &ColumnTable) -> Column {
        let kind = self.kind(table);
        let codes = table.codes.as_ref().and_then(|name| self.codes(name));
        if table.codes.is_some() && kind != Kind::Text {
            self.tell(
                &table.kind,
                "a column with codes holds texts",
                "write `type = \"text\"`".to_owned(),
            );
        }
        if kind == Kind::NationalId && table.personal != Personal::Identifier {
            self.tell(
                &table.kind,
                "a national id tells who it is",
                "write `personal = \"identifier\"`".to_owned(),
            );
        }
        if matches!(kind, Kind::Mobile) && table.personal == Personal::None {
            self.tell(
                &table.kind,
                "a mobile number is personal data",
                "write `personal = \"ordinary\"`".to_owned(),
            );
        }
        if kind == Kind::Boolean && table.words.is_empty() {
            self.tell(
                &table.kind,
                "the words for yes and no are not said",
                "write them, as `words = { \"是\" = true, \"否\" = false }`".to_owned(),
            );
        }
        let numbers = matches!(kind, Kind::Integer | Kind::Decimal { .. });
        if numbers && table.unit.is_none() {
            let mistake = self.file.mistake(
                &table.kind.span(),
                format!("the numbers of `{}` have no unit", table.name.get_ref()),
                Some("write it, as `unit = \"minute\"`; `\"1\"` for a plain count".to_owned()),
            );
            self.report.warnings.push(mistake);
        }
        let from = match table.from.get_ref() {
            OneOrMany::One(name) => vec![name.clone()],
            OneOrMany::Many(names) => names.clone(),
        };
        if from.is_empty() {
            self.tell(
                &table.from,
                "the column comes from nowhere",
                "name a column of the source".to_owned(),
            );
        }
        Column {
            name: table.name.get_ref().clone(),
            title: table.title.clone(),
            meaning: table.meaning.clone(),
            kind,
            unit: table.unit.clone(),
            personal: table.personal,
            required: table.required,
            codes,
            from,
            joined_by: table.joined_by.clone().unwrap_or_default(),
            words: table.words.clone(),
            empty: table.empty.iter().cloned().collect(),
        }
    }

    fn kind(&mut self, table: &ColumnTable) -> Kind {
        let mut formats = Vec::new();
        for word in &table.formats {
            match DateFormat::ALL.iter().find(|(known, _)| known == word.get_ref()) {
                Some((_, format)) => formats.push(*format),
                None => {
                    let known = DateFormat::ALL.iter().map(|(known, _)| *known);
                    let message = format!("there is no format `{}`", word.get_ref());
                    self.tell(word, message, did_you_mean(word.get_ref(), known));
                }
            }
        }
        let word = table.kind.get_ref();
        let dated = matches!(word.as_str(), "date" | "timestamp");
        if dated && table.formats.is_empty() {
            self.tell(
                &table.kind,
                "the style of the days is not said",
                "write it, as `formats = [\"roc-slash\", \"iso\"]`".to_owned(),
            );
        }
        if let (false, Some(first)) = (dated, table.formats.first()) {
            self.tell(
                first,
                "formats are for days and instants",
                "leave them out, or make the column a `date`".to_owned(),
            );
        }
        Kind::of(word, &formats).unwrap_or_else(|| {
            self.tell(
                &table.kind,
                format!("there is no type `{word}`"),
                did_you_mean(word, Kind::WORDS),
            );
            Kind::Text
        })
    }

    /// A code list: columns `code`, `zh` and `en`.
    fn codes(&mut self, name: &Spanned<String>) -> Option<Arc<BTreeMap<String, Text>>> {
        let file = self.beside(name)?;
        let mut reader = csv::Reader::from_reader(file.text.as_bytes());
        let mut codes = BTreeMap::new();
        for (at, row) in reader.deserialize().enumerate() {
            let row: CodeRow = match row {
                Ok(row) => row,
                Err(error) => {
                    let line = error.position().map_or(1, csv::Position::line);
                    self.wrong_row(&file, line, "the row does not fit", "write the columns `code,zh,en`");
                    return None;
                }
            };
            let text = Text::from_iter(
                [(Language::ZhTw, row.zh), (Language::En, row.en)]
                    .into_iter()
                    .filter(|(_, text)| !text.is_empty()),
            );
            let line = u64::try_from(at).unwrap_or_default() + 2;
            if codes.insert(row.code.clone(), text).is_some() {
                self.wrong_row(
                    &file,
                    line,
                    &format!("the code `{}` stands twice", row.code),
                    "leave one",
                );
            }
        }
        Some(Arc::new(codes))
    }

    /// A table of characters that users defined: columns `code` (four hexadecimal digits) and `character`.
    fn eudc(&mut self, name: &Spanned<String>) -> Option<BTreeMap<u16, String>> {
        let file = self.beside(name)?;
        let mut reader = csv::Reader::from_reader(file.text.as_bytes());
        let mut found = BTreeMap::new();
        for (at, row) in reader.records().enumerate() {
            let line = u64::try_from(at).unwrap_or_default() + 2;
            let row = row.ok();
            let pair = row.as_ref().and_then(|row| {
                let code = u16::from_str_radix(row.get(0)?.trim(), 16).ok()?;
                let character = row.get(1)?.trim();
                (code >= 0x8140 && character.chars().count() == 1).then(|| (code, character.to_owned()))
            });
            match pair {
                Some((code, character)) => {
                    found.insert(code, character);
                }
                None => self.wrong_row(
                    &file,
                    line,
                    "this is no Big5 code with its character",
                    "write them, as `FA40,𡍼`",
                ),
            }
        }
        Some(found)
    }

    fn beside(&mut self, name: &Spanned<String>) -> Option<TextFile> {
        match TextFile::read(self.folder, name.get_ref()) {
            Ok(file) => {
                self.digest.update(file.text.as_bytes());
                Some(file)
            }
            Err(mistake) => {
                self.tell(
                    name,
                    format!("`{}`: {}", name.get_ref(), mistake.message),
                    mistake.suggestion,
                );
                None
            }
        }
    }

    fn wrong_row(&mut self, file: &TextFile, line: u64, message: &str, suggestion: &str) {
        self.report.mistakes.push(Mistake {
            file: file.name.clone(),
            line: usize::try_from(line).unwrap_or(0),
            column: 0,
            message: message.to_owned(),
            suggestion: Some(suggestion.to_owned()),
        });
    }

    fn place(&mut self, name: &Spanned<String>, columns: &[Column]) -> Option<usize> {
        let known = columns.iter().map(|column| column.name.as_str());
        let place = known.clone().position(|column| column == name.get_ref());
        if place.is_none() {
            self.tell(
                name,
                format!("there is no column `{}`", name.get_ref()),
                did_you_mean(name.get_ref(), known),
            );
        }
        place
    }

    fn source(&mut self, table: &DatasetTable, columns: &[Column]) -> Source {
        let source = &table.source;
        let format = *source.kind.get_ref();
        let encoding = self.encoding(table);
        let eudc = source
            .eudc
            .as_ref()
            .and_then(|name| self.eudc(name))
            .unwrap_or_default();
        let delimiter = match source.delimiter.as_ref() {
            None => b',',
            Some(found) => match u8::try_from(*found.get_ref()) {
                Ok(byte) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => byte,
                _ => {
                    self.tell(
                        found,
                        "this can't stand between values",
                        "use `,`, `;`, `|` or `\\t`".to_owned(),
                    );
                    b','
                }
            },
        };
        if format == Format::Fixed && source.fields.is_empty() {
            self.tell(
                &source.kind,
                "the widths of the fields are not said",
                "write them, as `fields = [{ name = \"車號\", width = 8 }]`".to_owned(),
            );
        }
        for field in &source.fields {
            if !(1..=WIDEST).contains(&field.get_ref().width) {
                self.tell(
                    field,
                    format!("a field is 1 to {WIDEST} bytes wide"),
                    "write its width in bytes".to_owned(),
                );
            }
        }
        if matches!(format, Format::Xml) && source.rows.is_none() {
            self.tell(
                &source.kind,
                "the element of a row is not said",
                "write the way to it, as `rows = \"companies/company\"`".to_owned(),
            );
        }
        let named = source.header.unwrap_or(true) || !matches!(format, Format::Csv | Format::Xlsx | Format::Ods);
        for column in &table.column {
            self.from(column.get_ref(), table, named);
        }
        let mode = *source.mode.get_ref();
        let key: Vec<usize> = source.key.iter().filter_map(|name| self.place(name, columns)).collect();
        for (place, name) in key.iter().zip(&source.key) {
            if columns.get(*place).is_some_and(|column| !column.required) {
                self.tell(
                    name,
                    format!("the key `{}` may be empty", name.get_ref()),
                    "write `required = true` at that column".to_owned(),
                );
            }
        }
        if mode != Mode::Full && source.key.is_empty() {
            self.tell(
                &source.mode,
                "rows can't take the place of others without a key",
                "write it, as `key = [\"permit_number\"]`".to_owned(),
            );
        }
        let time = source.time.as_ref().and_then(|name| {
            let place = self.place(name, columns)?;
            let dated = columns
                .get(place)
                .is_some_and(|column| matches!(column.kind, Kind::Date(_) | Kind::Timestamp(_) | Kind::Integer));
            if !dated {
                self.tell(
                    name,
                    "the time of a row is a day, an instant or a running number",
                    "name such a column".to_owned(),
                );
            }
            Some(place)
        });
        if mode == Mode::Incremental && source.time.is_none() {
            self.tell(
                &source.mode,
                "without a time it can't be told which of two rows is later",
                "write it, as `time = \"updated_at\"`, or use `changes`".to_owned(),
            );
        }
        if mode == Mode::Changes && source.operation.is_none() {
            self.tell(
                &source.mode,
                "the column that says what happened to a row is not named",
                "write it, as `operation = { from = \"異動別\", insert = [\"A\"], update = [\"U\"], delete = [\"D\"] }`"
                    .to_owned(),
            );
        }
        let operation = source.operation.as_ref().map(|table| {
            let table = table.get_ref();
            Operation {
                from: table.from.clone(),
                put: table.insert.iter().chain(&table.update).cloned().collect(),
                delete: table.delete.iter().cloned().collect(),
            }
        });
        let apart = if matches!(format, Format::Json | Format::JsonLines) {
            '.'
        } else {
            '/'
        };
        let way = source.rows.as_ref().map(|rows| rows.get_ref().split(apart));
        Source {
            format,
            encoding,
            eudc: Arc::new(eudc),
            delimiter,
            header: source.header.unwrap_or(true),
            sheet: source.sheet.clone(),
            rows: way
                .into_iter()
                .flatten()
                .map(str::to_owned)
                .filter(|part| !part.is_empty())
                .collect(),
            fields: source
                .fields
                .iter()
                .map(|field| (field.get_ref().name.clone(), field.get_ref().width))
                .collect(),
            mode,
            key,
            time,
            operation,
            ignore: source.ignore.iter().cloned().collect(),
        }
    }

    fn encoding(&mut self, table: &DatasetTable) -> Encoding {
        let source = &table.source;
        let format = *source.kind.get_ref();
        let (sheet, silent) = (
            matches!(format, Format::Xlsx | Format::Ods),
            matches!(format, Format::Csv | Format::Fixed),
        );
        match &source.encoding {
            Some(encoding) if sheet => {
                self.tell(
                    encoding,
                    "a spreadsheet says its encoding itself",
                    "leave `encoding` out".to_owned(),
                );
                Encoding::Utf8
            }
            Some(encoding) => *encoding.get_ref(),
            None => {
                if silent {
                    let advice =
                        "write `encoding = \"utf-8\"` or `\"big5\"`; a load is held when the bytes say otherwise";
                    self.tell(&source.kind, "the encoding is not said", advice.to_owned());
                }
                Encoding::Utf8
            }
        }
    }

    /// What a column comes from must be there where the folder itself names the columns of the source.
    fn from(&mut self, column: &ColumnTable, table: &DatasetTable, named: bool) {
        let names: Vec<&str> = match column.from.get_ref() {
            OneOrMany::One(name) => vec![name],
            OneOrMany::Many(names) => names.iter().map(String::as_str).collect(),
        };
        let fields = || table.source.fields.iter().map(|field| field.get_ref().name.as_str());
        for name in names {
            if *table.source.kind.get_ref() == Format::Fixed && !fields().any(|field| field == name) {
                self.tell(
                    &column.from,
                    format!("the source has no field `{name}`"),
                    did_you_mean(name, fields()),
                );
            }
            if !named && name.parse::<usize>().is_ok_and(|number| number == 0) | name.parse::<usize>().is_err() {
                self.tell(
                    &column.from,
                    format!("without a heading `{name}` names no column"),
                    "write its number, as `from = \"1\"`".to_owned(),
                );
            }
            if table.source.ignore.iter().any(|ignored| ignored == name) {
                self.tell(
                    &column.from,
                    format!("`{name}` is ignored and used"),
                    "take it out of `ignore`".to_owned(),
                );
            }
        }
    }

    fn lookup(&mut self, table: &Spanned<LookupTable>, columns: &[Column]) -> Lookup {
        let lookup = table.get_ref();
        if lookup.by.is_empty() || lookup.by.len() > MOST_KEYS || lookup.columns.is_empty() {
            self.tell(
                table,
                format!("a lookup asks by 1 to {MOST_KEYS} columns for at least one"),
                "write them, as `by = [\"holder\"]` and `columns = [\"valid_until\"]`".to_owned(),
            );
        }
        if !(1..=MOST_CACHED).contains(lookup.cache_seconds.get_ref()) {
            self.tell(
                &lookup.cache_seconds,
                "answers come from one version for a second to a day",
                "write the seconds, as `cache_seconds = 900`".to_owned(),
            );
        }
        let mut places = |names: &[Spanned<String>]| -> Vec<usize> {
            let places = names.iter().filter_map(|name| self.place(name, columns));
            places.collect::<BTreeSet<_>>().into_iter().collect()
        };
        // in the order that the values of a key are given in
        let answered = places(&lookup.columns);
        let by = lookup.by.iter().filter_map(|name| self.place(name, columns)).collect();
        Lookup {
            by,
            columns: answered,
            cache_seconds: *lookup.cache_seconds.get_ref(),
        }
    }

    fn retention(&mut self, table: &DatasetTable, columns: &[Column]) -> Retention {
        let retention = &table.retention;
        let days = *retention.history_days.get_ref();
        if !(7..=36_500).contains(&days) {
            self.tell(
                &retention.history_days,
                "earlier versions are kept for 7 to 36500 days",
                "a reader may still be at one of them for a week".to_owned(),
            );
        }
        let rows = match (&retention.keep_years, &retention.counted_from) {
            (None, None) => None,
            (Some(years), Some(name)) => self.place(name, columns).and_then(|place| {
                let dated = columns
                    .get(place)
                    .is_some_and(|column| matches!(column.kind, Kind::Date(_)));
                if !dated {
                    self.tell(
                        name,
                        "years are counted from a day",
                        "name a column of type `date`".to_owned(),
                    );
                }
                dated.then_some((*years.get_ref(), place))
            }),
            (Some(years), None) => {
                self.tell(
                    years,
                    "it is not said from which day the years are counted",
                    "write it, as `counted_from = \"ended_on\"`".to_owned(),
                );
                None
            }
            (None, Some(name)) => {
                self.tell(
                    name,
                    "it is not said for how many years rows are kept",
                    "write it, as `keep_years = 5`".to_owned(),
                );
                None
            }
        };
        Retention {
            history_days: days,
            rows,
        }
    }
}
