//! What several services ask of the same people, as columns of one table. The city fills what it knows; of what it does not
//! know, each family has what a worked case of the service has, chosen by chance, so that a new service needs no code here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rules::{CaseInput, Entity, Input, RuleSet, Type};
use serde_json::Value;

use super::CityError;
use super::draw::Draw;
use super::people::{Cell, Fill, Kind, Row, fact};

/// A service whose inputs are wanted.
pub struct Asked {
    /// Name of its folder.
    pub service: String,
    /// Its rules.
    pub rules: RuleSet,
    /// The facts of its worked cases.
    pub worked: Vec<CaseInput>,
}

/// By service and column the reason why the city's fact of that name is not meant.
type Meanings = BTreeMap<String, BTreeMap<String, String>>;

/// The columns of a table for several services.
pub(super) struct Union<'a> {
    services: Vec<Worked<'a>>,
    pub columns: Vec<Column>,
    /// Columns that services mean differently, told to who makes the table.
    pub differences: Vec<String>,
}

/// A column of the table.
pub(super) struct Column {
    pub name: String,
    pub kind: Kind,
    source: Source,
    /// The codes allowed; empty when any value is.
    allowed: Vec<String>,
}

/// Where the values of a column come from.
enum Source {
    /// The city's fact of that name.
    Fact(&'static Fill),
    /// Whether somebody applies, for a service whose rules don't say so.
    Applicant,
    /// The worked cases of a service.
    Worked { service: usize, values: Values },
}

/// The values that the worked cases give for one input: those of each case, and all that are known.
#[derive(Default)]
struct Values {
    /// Whether the input is a person's; else the family has one value.
    of_person: bool,
    /// By the relation to the applicant; what is a family's stands under no relation.
    each: Vec<BTreeMap<String, Vec<Cell>>>,
    known: BTreeMap<String, Vec<Cell>>,
    all: Vec<Cell>,
}

/// A service's worked cases, to choose from.
struct Worked<'a> {
    asked: &'a Asked,
    /// Begins the draws, so that they don't change when other services are added.
    seed: u64,
}

/// The name of an input's column.
fn column_of(input: &Input) -> String {
    match input.entity {
        Entity::Person => input.name.clone(),
        Entity::Household => format!("household.{}", input.name),
        Entity::Case => format!("case.{}", input.name),
    }
}

impl<'a> Union<'a> {
    /// Plans the columns: one of each name, of the type and the codes that most services have for it, and one
    /// `<service>.<name>` for each service that means something else.
    pub fn new(asked: &'a [Asked]) -> Result<Union<'a>, CityError> {
        let meanings: Meanings = toml::from_str(include_str!("meanings.toml"))
            .map_err(|error| CityError::Figures(format!("meanings.toml: {error}")))?;
        let mut union = Union {
            services: asked.iter().map(Worked::new).collect(),
            columns: Vec::new(),
            differences: Vec::new(),
        };
        let mut names: BTreeSet<String> = BTreeSet::new();
        for one in asked {
            names.extend(one.rules.inputs().iter().map(column_of));
        }
        for name in names {
            let inputs: Vec<(usize, &Input)> = asked
                .iter()
                .enumerate()
                .filter_map(|(place, one)| {
                    let mut inputs = one.rules.inputs().iter();
                    Some((place, inputs.find(|input| column_of(input) == name)?))
                })
                .collect();
            union.add(&name, &inputs, &meanings);
        }
        for one in asked.iter().filter(|one| !one.rules.has_candidates()) {
            union.columns.push(Column {
                name: format!("{}.applicant", one.service),
                kind: Kind::Truth,
                source: Source::Applicant,
                allowed: Vec::new(),
            });
        }
        Ok(union)
    }

    /// Adds the columns of one name.
    fn add(&mut self, name: &str, inputs: &[(usize, &Input)], meanings: &Meanings) {
        let mut groups: Vec<(Meaning<'_>, Vec<(usize, &Input)>)> = Vec::new();
        for (place, input) in inputs {
            let service = self.services.get(*place).map_or("", |one| one.asked.service.as_str());
            let meaning = Meaning {
                kind: input.kind,
                codes: input.values.iter().map(String::as_str).collect(),
                own: meanings
                    .get(service)
                    .and_then(|columns| columns.get(name))
                    .map(String::as_str),
            };
            match groups.iter_mut().find(|(known, _)| *known == meaning) {
                Some((_, group)) => group.push((*place, input)),
                None => groups.push((meaning, vec![(*place, input)])),
            }
        }
        // most services first; of as many, the one whose name comes first
        groups.sort_by_key(|(meaning, group)| (meaning.own.is_some(), std::cmp::Reverse(group.len())));
        for (at, (meaning, group)) in groups.iter().enumerate() {
            for (place, input) in group {
                let service = self.services.get(*place).map_or("", |one| one.asked.service.as_str());
                let plain = at == 0;
                let name = match plain {
                    true => name.to_owned(),
                    false => format!("{service}.{name}"),
                };
                if !plain {
                    let why = meaning.own.map_or_else(|| meaning.to_string(), str::to_owned);
                    self.differences.push(format!("{name}: {why}"));
                }
                let source = self.source(&column_of(input), *place, input, meaning.own.is_some());
                self.columns.push(Column {
                    name,
                    kind: Kind::of(input.kind),
                    source,
                    allowed: input.values.clone(),
                });
                if plain {
                    break;
                }
            }
        }
    }

    fn source(&self, name: &str, service: usize, input: &Input, own: bool) -> Source {
        match fact(name) {
            Some(fill) if !own && fill.kind() == Kind::of(input.kind) => Source::Fact(fill),
            _ => Source::Worked {
                service,
                values: self
                    .services
                    .get(service)
                    .map(|one| one.values(input))
                    .unwrap_or_default(),
            },
        }
    }

    /// The cells of a family, column by column for each person. `seed` and `stream` are the family's.
    pub fn family(&self, rows: &[Row<'_>], seed: u64, stream: u64, mut push: impl FnMut(usize, &Cell)) {
        let mut chosen: Vec<(usize, Draw)> = Vec::with_capacity(self.services.len());
        for one in &self.services {
            let mut draw = Draw::new(seed ^ one.seed, stream);
            let count = u64::try_from(one.asked.worked.len()).unwrap_or(0);
            chosen.push((usize::try_from(draw.below(count.max(1))).unwrap_or(0), draw));
        }
        // what each person is to the applicant, and how many of the same stand before them
        let mut relations: Vec<(&'static str, usize)> = Vec::with_capacity(rows.len());
        for row in rows {
            let relation = row.relation();
            let before = relations.iter().filter(|(other, _)| *other == relation).count();
            relations.push((relation, before));
        }
        let relations = || relations.iter().copied();
        for (place, column) in self.columns.iter().enumerate() {
            match &column.source {
                Source::Fact(fill) => {
                    for row in rows {
                        push(place, column.fit(&fill.cell(row)));
                    }
                }
                Source::Applicant => {
                    for (relation, _) in relations() {
                        push(place, &Cell::Truth(relation == "self"));
                    }
                }
                Source::Worked { service, values } => {
                    let Some((case, draw)) = chosen.get_mut(*service) else {
                        continue;
                    };
                    if values.of_person {
                        for (relation, before) in relations() {
                            push(place, column.fit(values.cell(*case, relation, before, draw)));
                        }
                    } else {
                        let cell = values.cell(*case, "", 0, draw);
                        rows.iter().for_each(|_| push(place, column.fit(cell)));
                    }
                }
            }
        }
    }
}

/// What a service means by a name.
#[derive(PartialEq)]
struct Meaning<'a> {
    kind: Type,
    codes: BTreeSet<&'a str>,
    own: Option<&'a str>,
}

impl std::fmt::Display for Meaning<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let codes: Vec<&str> = self.codes.iter().copied().collect();
        write!(f, "{}", self.kind)?;
        match codes.is_empty() {
            true => Ok(()),
            false => write!(f, " of {}", codes.join(", ")),
        }
    }
}

impl Column {
    /// A fact that the service has no code for is not known to it.
    fn fit<'c>(&self, cell: &'c Cell) -> &'c Cell {
        match cell {
            Cell::Text(text) if !self.allowed.is_empty() && !self.allowed.iter().any(|code| code == text) => {
                &Cell::Nothing
            }
            _ => cell,
        }
    }
}

impl Worked<'_> {
    fn new(asked: &Asked) -> Worked<'_> {
        // FNV-1a: spreads names, and is the same on every machine
        let seed = asked.service.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Worked { asked, seed }
    }

    /// The values given for an input.
    fn values(&self, input: &Input) -> Values {
        let mut values = Values {
            of_person: input.entity == Entity::Person,
            ..Values::default()
        };
        for case in &self.asked.worked {
            let given: Vec<(&str, &rules::Values)> = match input.entity {
                Entity::Person => case.persons.iter().map(|one| (relation(one), &one.values)).collect(),
                Entity::Household => vec![("", &case.household)],
                Entity::Case => vec![("", &case.case)],
            };
            let mut each: BTreeMap<String, Vec<Cell>> = BTreeMap::new();
            for (relation, facts) in given {
                let cell = facts
                    .get(&input.name)
                    .map_or(Cell::Nothing, |value| read(input.kind, value));
                if cell != Cell::Nothing {
                    values.known.entry(relation.to_owned()).or_default().push(cell.clone());
                    values.all.push(cell.clone());
                }
                each.entry(relation.to_owned()).or_default().push(cell);
            }
            values.each.push(each);
        }
        values
    }
}

/// What a person of a worked case is to the applicant.
fn relation(person: &rules::Person) -> &str {
    let said = person.values.get("relation").and_then(Value::as_str);
    said.unwrap_or(if person.applicant { "self" } else { "other" })
}

impl Values {
    /// The value of the case chosen for the family; where it gives none, that of another case.
    fn cell(&self, case: usize, relation: &str, before: usize, draw: &mut Draw) -> &Cell {
        let persons = self.each.get(case).and_then(|each| each.get(relation));
        let found = persons.and_then(|cells| cells.get(before % cells.len().max(1)));
        match found {
            Some(cell) if *cell != Cell::Nothing => cell,
            _ => draw
                .one(self.known.get(relation).unwrap_or(&self.all))
                .unwrap_or(&Cell::Nothing),
        }
    }
}

/// A fact of a worked case.
fn read(kind: Type, value: &Value) -> Cell {
    let read = match kind {
        Type::Integer => value.as_i64().map(Cell::Number),
        Type::Boolean => value.as_bool().map(Cell::Truth),
        Type::Text => value.as_str().map(|text| Cell::Text(text.to_owned().into())),
        Type::Date => value.as_str().and_then(|text| text.parse::<Date>().ok()).map(Cell::Day),
        Type::Decimal => match value {
            Value::Number(number) => Some(Cell::Text(number.to_string().into())),
            Value::String(text) => Some(Cell::Text(text.clone().into())),
            _ => None,
        },
    };
    read.unwrap_or(Cell::Nothing)
}
