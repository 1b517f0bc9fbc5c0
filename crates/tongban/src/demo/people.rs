//! The city as a table: one row a resident, the families one after another, in the columns that a sweep of the rules
//! reads: without names and national ids for whoever measures, with them as the register of residents of the city.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Int64Builder, RecordBatch, StringBuilder, StringDictionaryBuilder,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use jiff::civil::Date;
use parquet::arrow::ArrowWriter;
use parquet::basic::Encoding;
use parquet::file::properties::WriterProperties;

use super::CityError;
use super::city::{City, NAME, REGION};
use super::entries::{self, Entry};
use super::family::{Family, Person, Role};
use super::identity;
use super::inputs::{Asked, Union};
use super::marginals::figures;
use super::stories::Story;

/// Rows of a batch and of a row group.
const BATCH: usize = 1 << 16;

/// One resident as a row.
pub(super) struct Row<'a> {
    pub household: i64,
    pub id: i64,
    pub family: &'a Family,
    pub person: &'a Person,
    pub entry: &'a Entry,
}

/// Columns that are not known of everybody.
const UNKNOWN: [&str; 3] = ["occupation_wage", "deposits", "house_tax_number"];

/// One value of the table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Nothing,
    Text(Cow<'static, str>),
    Number(i64),
    Truth(bool),
    Day(Date),
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A text that few rows share.
    Name,
    Number,
    Truth,
    Day,
}

impl Kind {
    /// The column that holds an input's values. Decimals are texts, which rules read without loss.
    pub fn of(kind: rules::Type) -> Kind {
        match kind {
            rules::Type::Integer => Kind::Number,
            rules::Type::Boolean => Kind::Truth,
            rules::Type::Date => Kind::Day,
            rules::Type::Text | rules::Type::Decimal => Kind::Text,
        }
    }
}

/// How a column is filled.
pub(super) enum Fill {
    Text(fn(&Row<'_>) -> &'static str),
    Name(fn(&Row<'_>) -> Option<String>),
    Number(fn(&Row<'_>) -> Option<i64>),
    Truth(fn(&Row<'_>) -> bool),
    Day(fn(&Row<'_>) -> Date),
}

use Fill::{Day, Name, Number, Text, Truth};

impl Fill {
    /// What it fills.
    pub fn kind(&self) -> Kind {
        match self {
            Text(_) => Kind::Text,
            Name(_) => Kind::Name,
            Number(_) => Kind::Number,
            Truth(_) => Kind::Truth,
            Day(_) => Kind::Day,
        }
    }

    /// The value of a row.
    pub fn cell(&self, row: &Row<'_>) -> Cell {
        match self {
            Text(value) => Cell::Text(value(row).into()),
            Name(value) => value(row).map_or(Cell::Nothing, |text| Cell::Text(text.into())),
            Number(value) => value(row).map_or(Cell::Nothing, Cell::Number),
            Truth(value) => Cell::Truth(value(row)),
            Day(value) => Cell::Day(value(row)),
        }
    }
}

/// How the city fills a column of this name; none where it knows nothing of the kind.
pub(super) fn fact(name: &str) -> Option<&'static Fill> {
    COLUMNS.iter().find(|(known, _)| *known == name).map(|(_, fill)| fill)
}

/// The columns: who and of which family, then every input of the rules by its name, as `rules::Population` reads them.
const COLUMNS: &[(&str, Fill)] = &[
    ("household", Number(|row| Some(row.household))),
    ("person", Number(|row| Some(row.id))),
    ("applicant", Truth(|row| row.may_apply())),
    // the family
    ("household.region", Text(|_| REGION)),
    ("household.listed_status", Text(|row| row.family.listed)),
    ("household.land_value_relief", Truth(|row| row.family.value_rose)),
    // the application somebody of it would make
    ("case.other_allowance", Text(|row| row.family.other_allowance)),
    ("case.gives_up_other", Truth(|row| row.family.gives_up_other)),
    ("case.other_public_aid", Number(|row| Some(row.family.other_public_aid))),
    // the person
    ("relation", Text(|row| row.relation())),
    ("birth_date", Day(|row| row.person.birth)),
    ("same_registration", Truth(|row| row.person.registered_with_head)),
    ("lives_together", Truth(|row| row.person.dwelling == 0)),
    ("claims_as_dependant", Truth(|row| row.person.facts.claims_as_dependant)),
    ("exclusion", Text(|row| row.person.facts.exclusion)),
    (
        "lives_at_registration",
        Truth(|row| row.person.facts.lives_at_registration),
    ),
    ("days_in_country", Number(|row| Some(row.person.facts.days_in_country))),
    ("in_public_care", Truth(|row| row.person.facts.in_public_care)),
    ("in_custody", Truth(|row| row.person.facts.in_custody)),
    ("disability", Text(|row| row.person.facts.disability)),
    ("student", Truth(|row| row.person.facts.student)),
    ("work_obstacle", Text(|row| row.person.facts.work_obstacle)),
    ("work_status", Text(|row| row.person.facts.work_status)),
    (
        "occupation_wage",
        Number(|row| Some(row.person.facts.occupation_wage).filter(|wage| *wage > 0)),
    ),
    ("work_income", Number(|row| Some(row.person.facts.work_income))),
    ("interest_income", Number(|row| Some(row.person.facts.interest))),
    ("dividend_income", Number(|row| Some(row.person.facts.dividends))),
    ("rent_income", Number(|row| Some(row.person.facts.rent))),
    ("other_income", Number(|row| Some(row.person.facts.other_income))),
    (
        "deposits",
        Number(|row| Some(row.person.facts.deposits).filter(|_| row.person.facts.deposits_reported)),
    ),
    ("investments", Number(|row| Some(row.person.facts.investments))),
    ("land_value", Number(|row| Some(row.person.facts.land))),
    (
        "land_not_counted",
        Number(|row| Some(row.person.facts.land_not_counted)),
    ),
    ("house_value", Number(|row| Some(row.person.facts.house))),
    // what no application asks: entries of the household registration and of the house tax records
    ("registered_since", Day(|row| row.entry.registered_since)),
    ("alive", Truth(|row| row.entry.alive)),
    ("indigenous", Truth(|row| row.entry.indigenous)),
    ("houses_owned", Number(|row| Some(row.entry.houses_owned))),
    (
        "house_tax_number",
        Name(|row| row.entry.owner.then(|| row.tax_number())),
    ),
    ("house_self_used", Truth(|row| row.entry.self_used)),
    ("owner_share", Number(|row| Some(row.entry.share))),
];

/// What the register says beside the facts: who it is, where they live, and where they may be reached and paid.
const DETAILS: &[(&str, Fill)] = &[
    ("profile.national_id", Name(|row| row.national_id())),
    ("profile.name", Name(|row| Some(row.person.name.to_string()))),
    (
        "profile.area",
        Name(|row| row.home().map(|(district, village, _)| format!("{district} {village}"))),
    ),
    ("profile.address", Name(|row| row.home().map(|(_, _, address)| address))),
    (
        "profile.email",
        Name(|row| row.story().map(|story| format!("{}@resident.example", story.word()))),
    ),
    ("profile.bank", Name(|row| row.has_account().then(|| "700".to_owned()))),
    (
        "profile.account",
        Name(|row| row.has_account().then(|| format!("{:014}", row.id + 1))),
    ),
];

/// Columns that a register does without: it says who is who by national id, and the rules say who may apply.
const NOT_IN_REGISTER: [&str; 2] = ["person", "applicant"];

impl Row<'_> {
    fn national_id(&self) -> Option<String> {
        let place = u32::try_from(self.id).ok()?;
        identity::national_id(place, self.person.woman).map(|id| id.reveal().to_owned())
    }

    /// District, village and address of the registration.
    fn home(&self) -> Option<(&'static str, &'static str, String)> {
        let home = if self.person.registered_with_head {
            self.family.homes.first()
        } else {
            self.family.homes.get(self.person.dwelling)
        };
        Some(home?.written(figures().ok()?, NAME))
    }

    /// The story that the person tells, if it is one of those who can be reached.
    fn story(&self) -> Option<&'static Story> {
        let number = usize::try_from(self.household).ok()?;
        Story::ALL
            .get(number)
            .filter(|_| matches!(self.person.role, Role::Head))
    }

    /// Seventeen of twenty grown-ups have been paid something by the city before.
    fn has_account(&self) -> bool {
        self.person.age >= 20 && self.id % 20 < 17
    }

    /// Elders apply: the head of a family or the registered spouse.
    fn may_apply(&self) -> bool {
        let registered = self.person.facts.exclusion != "spouse_without_registration";
        self.person.age >= 65 && matches!(self.person.role, Role::Head | Role::Spouse) && registered
    }

    /// The number of the record of the person's house: invented, the same as long as the resident is.
    fn tax_number(&self) -> String {
        format!("B{:011}", 90_000_000_000 + self.id)
    }

    /// What the person is to the head of the family.
    pub fn relation(&self) -> &'static str {
        self.family
            .persons
            .first()
            .map_or("self", |head| self.family.relation(head, self.person).code())
    }
}

/// A column being filled.
enum Column {
    Text(StringDictionaryBuilder<Int32Type>),
    Name(StringBuilder),
    Number(Int64Builder),
    Truth(BooleanBuilder),
    Day(Date32Builder),
}

impl Column {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(StringDictionaryBuilder::new()),
            Kind::Name => Self::Name(StringBuilder::new()),
            Kind::Number => Self::Number(Int64Builder::new()),
            Kind::Truth => Self::Truth(BooleanBuilder::new()),
            Kind::Day => Self::Day(Date32Builder::new()),
        }
    }

    /// A cell of another kind is not known.
    fn push(&mut self, cell: &Cell) {
        match (self, cell) {
            (Self::Text(column), Cell::Text(text)) => column.append_value(text),
            (Self::Text(column), _) => column.append_null(),
            (Self::Name(column), Cell::Text(text)) => column.append_value(text),
            (Self::Name(column), _) => column.append_null(),
            (Self::Number(column), Cell::Number(number)) => column.append_value(*number),
            (Self::Number(column), _) => column.append_null(),
            (Self::Truth(column), Cell::Truth(truth)) => column.append_value(*truth),
            (Self::Truth(column), _) => column.append_null(),
            (Self::Day(column), Cell::Day(day)) => column.append_value(days(*day)),
            (Self::Day(column), _) => column.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Name(column) => Arc::new(column.finish()),
            Self::Number(column) => Arc::new(column.finish()),
            Self::Truth(column) => Arc::new(column.finish()),
            Self::Day(column) => Arc::new(column.finish()),
        }
    }
}

/// Days since 1970-01-01.
fn days(date: Date) -> i32 {
    Date::constant(1970, 1, 1).until(date).map_or(0, |span| span.get_days())
}

/// A column's name, what it holds, and whether it is not known of everybody.
type Named = (String, Kind, bool);

/// The columns that these facts fill.
fn named(wanted: &[&(&str, Fill)]) -> Vec<Named> {
    let unknown = |name: &str| UNKNOWN.contains(&name) || name.starts_with("profile.");
    wanted
        .iter()
        .map(|(name, fill)| ((*name).to_owned(), fill.kind(), unknown(name)))
        .collect()
}

fn schema(columns: &[Named]) -> SchemaRef {
    let field = |(name, kind, unknown): &Named| {
        let kind = match kind {
            Kind::Text => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            Kind::Name => DataType::Utf8,
            Kind::Number => DataType::Int64,
            Kind::Truth => DataType::Boolean,
            Kind::Day => DataType::Date32,
        };
        Field::new(name, kind, *unknown)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

impl City {
    /// What the registers say of the persons of a family, in their order.
    ///
    /// # Errors
    /// [`CityError::Figures`].
    pub(super) fn entries(&self, number: usize, family: &Family) -> Result<Vec<Entry>, CityError> {
        let (seed, stream) = self.drawn_from(number);
        Ok(entries::of(figures()?, family, seed, stream, self.day()))
    }

    /// Writes all residents as Parquet, in bounded memory. `progress` hears how many are written so far.
    ///
    /// # Errors
    /// [`CityError::File`].
    pub fn write_people(&self, path: &Path, progress: &mut dyn FnMut(usize)) -> Result<(), CityError> {
        self.write_columns(path, &COLUMNS.iter().collect::<Vec<_>>(), progress)
    }

    /// Writes the register of residents, with names and national ids, in bounded memory; beside what the city knows of everybody
    /// it has what these services ask for.
    ///
    /// # Errors
    /// [`CityError::File`].
    pub fn write_register(&self, path: &Path, asked: &[Asked]) -> Result<(), CityError> {
        let union = Union::new(asked)?;
        let facts = COLUMNS.iter().filter(|(name, _)| !NOT_IN_REGISTER.contains(name));
        let own: Vec<&(&str, Fill)> = facts.chain(DETAILS).collect();
        let mut columns = named(&own);
        // a column that the city has of its own is taken from there
        let mut places = Vec::with_capacity(union.columns.len());
        for column in &union.columns {
            let new = own.iter().all(|(name, _)| *name != column.name);
            places.push(new.then_some(columns.len()));
            if new {
                columns.push((column.name.clone(), column.kind, true));
            }
        }
        self.write(path, &columns, &mut |_| {}, |number, rows, push| {
            for row in rows {
                for (place, (_, fill)) in own.iter().enumerate() {
                    push(place, &fill.cell(row));
                }
            }
            union.family(rows, self.seed(), self.stream(number), |place, cell| {
                if let Some(place) = places.get(place).copied().flatten() {
                    push(place, cell);
                }
            });
        })
    }

    fn write_columns(
        &self,
        path: &Path,
        wanted: &[&(&str, Fill)],
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), CityError> {
        self.write(path, &named(wanted), progress, |_, rows, push| {
            for row in rows {
                for (place, (_, fill)) in wanted.iter().enumerate() {
                    push(place, &fill.cell(row));
                }
            }
        })
    }

    /// Writes all residents with everything that services ask for, as one table for all of them. Returns what services
    /// mean differently by one name.
    ///
    /// # Errors
    /// [`CityError::File`].
    pub fn write_people_for(&self, path: &Path, asked: &[Asked]) -> Result<Vec<String>, CityError> {
        let union = Union::new(asked)?;
        let own = ["household", "person"].map(|name| (name.to_owned(), Kind::Number, false));
        let inputs = union
            .columns
            .iter()
            .map(|column| (column.name.clone(), column.kind, true));
        let columns: Vec<Named> = own.into_iter().chain(inputs).collect();
        self.write(path, &columns, &mut |_| {}, |number, rows, push| {
            for row in rows {
                push(0, &Cell::Number(row.household));
                push(1, &Cell::Number(row.id));
            }
            union.family(rows, self.seed(), self.stream(number), |place, cell| {
                push(place + 2, cell);
            });
        })?;
        Ok(union.differences)
    }

    /// Writes a table of residents. `fill` is given the number and the rows of a family, and pushes the cells by column.
    fn write(
        &self,
        path: &Path,
        named: &[Named],
        progress: &mut dyn FnMut(usize),
        fill: impl Fn(usize, &[Row<'_>], &mut dyn FnMut(usize, &Cell)),
    ) -> Result<(), CityError> {
        let wrong = |problem: &dyn std::fmt::Display| CityError::file(path, problem);
        let schema = schema(named);
        let file = File::create(path).map_err(|error| wrong(&error))?;
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(BATCH))
            // ids only rise: their differences are shorter and quicker to read than a dictionary
            .set_column_dictionary_enabled("household".into(), false)
            .set_column_encoding("household".into(), Encoding::DELTA_BINARY_PACKED)
            .set_column_dictionary_enabled("person".into(), false)
            .set_column_encoding("person".into(), Encoding::DELTA_BINARY_PACKED)
            .build();
        let mut writer =
            ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties)).map_err(|error| wrong(&error))?;
        let mut columns: Vec<Column> = named.iter().map(|(_, kind, _)| Column::new(*kind)).collect();
        let (mut waiting, mut done) = (0, 0);
        for number in 0..self.families() {
            let Some((family, from)) = self.family(number) else {
                continue;
            };
            let entries = self.entries(number, &family)?;
            let rows = rows(&family, &entries, number, from);
            fill(number, &rows, &mut |place, cell| {
                if let Some(column) = columns.get_mut(place) {
                    column.push(cell);
                }
            });
            waiting += rows.len();
            // a family never stands in two batches
            if waiting + super::family::MOST > BATCH || number + 1 == self.families() {
                let arrays = columns.iter_mut().map(Column::finish).collect();
                let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(|error| wrong(&error))?;
                writer.write(&batch).map_err(|error| wrong(&error))?;
                writer.flush().map_err(|error| wrong(&error))?;
                done += waiting;
                waiting = 0;
                progress(done);
            }
        }
        writer.close().map_err(|error| wrong(&error))?;
        Ok(())
    }
}

/// The rows of a family.
fn rows<'a>(family: &'a Family, entries: &'a [Entry], number: usize, from: u32) -> Vec<Row<'a>> {
    let household = i64::try_from(number).unwrap_or(i64::MAX);
    let row = |(index, (person, entry)): (usize, (&'a Person, &'a Entry))| Row {
        household,
        id: i64::from(from) + i64::try_from(index).unwrap_or(0),
        family,
        person,
        entry,
    };
    family.persons.iter().zip(entries).enumerate().map(row).collect()
}
