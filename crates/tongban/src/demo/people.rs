//! The city as a table: one row a resident, the families one after another, in the columns that a sweep of the rules
//! reads: without names and national ids for whoever measures, with them as the register of residents of the city.

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
use super::marginals::figures;
use super::stories::Story;

/// Rows of a batch and of a row group.
const BATCH: usize = 1 << 16;

/// One resident as a row.
struct Row<'a> {
    household: i64,
    id: i64,
    family: &'a Family,
    person: &'a Person,
    entry: &'a Entry,
}

/// Columns that are not known of everybody.
const UNKNOWN: [&str; 3] = ["occupation_wage", "deposits", "house_tax_number"];

/// How a column is filled.
enum Fill {
    Text(fn(&Row<'_>) -> &'static str),
    Name(fn(&Row<'_>) -> Option<String>),
    Number(fn(&Row<'_>) -> Option<i64>),
    Truth(fn(&Row<'_>) -> bool),
    Day(fn(&Row<'_>) -> Date),
}

use Fill::{Day, Name, Number, Text, Truth};

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
    fn relation(&self) -> &'static str {
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
    fn new(fill: &Fill) -> Self {
        match fill {
            Text(_) => Self::Text(StringDictionaryBuilder::new()),
            Name(_) => Self::Name(StringBuilder::new()),
            Number(_) => Self::Number(Int64Builder::new()),
            Truth(_) => Self::Truth(BooleanBuilder::new()),
            Day(_) => Self::Day(Date32Builder::new()),
        }
    }

    fn push(&mut self, fill: &Fill, row: &Row<'_>) {
        match (self, fill) {
            (Self::Text(column), Text(value)) => column.append_value(value(row)),
            (Self::Name(column), Name(value)) => column.append_option(value(row)),
            (Self::Number(column), Number(value)) => column.append_option(value(row)),
            (Self::Truth(column), Truth(value)) => column.append_value(value(row)),
            (Self::Day(column), Day(value)) => column.append_value(days(value(row))),
            _ => {}
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

fn schema(columns: &[&(&str, Fill)]) -> SchemaRef {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, fill)| {
            let kind = match fill {
                Text(_) => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
                Name(_) => DataType::Utf8,
                Number(_) => DataType::Int64,
                Truth(_) => DataType::Boolean,
                Day(_) => DataType::Date32,
            };
            Field::new(*name, kind, UNKNOWN.contains(name) || name.starts_with("profile."))
        })
        .collect();
    Arc::new(Schema::new(fields))
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
        self.write(path, &COLUMNS.iter().collect::<Vec<_>>(), progress)
    }

    /// Writes the register of residents, with names and national ids, in bounded memory.
    ///
    /// # Errors
    /// [`CityError::File`].
    pub fn write_register(&self, path: &Path) -> Result<(), CityError> {
        let facts = COLUMNS.iter().filter(|(name, _)| !NOT_IN_REGISTER.contains(name));
        self.write(path, &facts.chain(DETAILS).collect::<Vec<_>>(), &mut |_| {})
    }

    fn write(&self, path: &Path, wanted: &[&(&str, Fill)], progress: &mut dyn FnMut(usize)) -> Result<(), CityError> {
        let wrong = |problem: &dyn std::fmt::Display| CityError::file(path, problem);
        let file = File::create(path).map_err(|error| wrong(&error))?;
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(BATCH))
            // ids only rise: their differences are shorter and quicker to read than a dictionary
            .set_column_dictionary_enabled("household".into(), false)
            .set_column_encoding("household".into(), Encoding::DELTA_BINARY_PACKED)
            .set_column_dictionary_enabled("person".into(), false)
            .set_column_encoding("person".into(), Encoding::DELTA_BINARY_PACKED)
            .build();
        let mut writer = ArrowWriter::try_new(file, schema(wanted), Some(properties)).map_err(|error| wrong(&error))?;
        let mut columns: Vec<Column> = wanted.iter().map(|(_, fill)| Column::new(fill)).collect();
        let (mut waiting, mut done) = (0, 0);
        for number in 0..self.families() {
            let Some((family, from)) = self.family(number) else {
                continue;
            };
            let entries = self.entries(number, &family)?;
            for (index, (person, entry)) in family.persons.iter().zip(&entries).enumerate() {
                let household = i64::try_from(number).unwrap_or(i64::MAX);
                let row = Row {
                    household,
                    id: i64::from(from) + i64::try_from(index).unwrap_or(0),
                    family: &family,
                    person,
                    entry,
                };
                for (column, (_, fill)) in columns.iter_mut().zip(wanted) {
                    column.push(fill, &row);
                }
                waiting += 1;
            }
            // a family never stands in two batches
            if waiting + super::family::MOST > BATCH || number + 1 == self.families() {
                let arrays = columns.iter_mut().map(Column::finish).collect();
                let batch = RecordBatch::try_new(schema(wanted), arrays).map_err(|error| wrong(&error))?;
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
