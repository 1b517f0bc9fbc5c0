//! JSON: an array of objects, an object with such an array in it, or an object a line. Objects within a row give columns
//! named `outer.inner`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{BufRead, BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Bounded, Broken, Collector, Drift, LARGEST_ROW};
use crate::dataset::Dataset;
use crate::encoding::Decoded;
use crate::error::HubError;
use crate::values::Problem;

/// Deepest object of a row.
const DEEPEST: usize = 8;

/// Puts the objects of a source into columns.
struct Rows<'a, 'c> {
    dataset: &'a Dataset,
    places: BTreeMap<String, usize>,
    seen: BTreeSet<usize>,
    drift: Drift,
    collector: &'a mut Collector<'c>,
}

type Cells = Vec<Option<String>>;

impl<'a, 'c> Rows<'a, 'c> {
    fn new(dataset: &'a Dataset, collector: &'a mut Collector<'c>) -> Rows<'a, 'c> {
        let names: Vec<String> = super::wanted(dataset).into_iter().map(str::to_owned).collect();
        collector.begin(names.clone());
        Rows {
            dataset,
            places: names
                .into_iter()
                .enumerate()
                .map(|(place, name)| (name, place))
                .collect(),
            seen: BTreeSet::new(),
            drift: Drift::default(),
            collector,
        }
    }

    fn row(&mut self, place: u64, text: &str) -> Result<(), HubError> {
        let mut cells: Cells = vec![None; self.places.len()];
        match self.object("", text, &mut cells, 0) {
            Ok(()) => self.collector.row(place, cells.iter().map(Option::as_deref)),
            Err(why) => self.collector.broken(Broken {
                place,
                problem: Problem::Broken(why),
                cells: vec![text.chars().take(2000).collect()],
            }),
        }
    }

    fn object(&mut self, before: &str, text: &str, cells: &mut Cells, depth: usize) -> Result<(), String> {
        let fields: BTreeMap<Cow<'_, str>, &RawValue> =
            serde_json::from_str(text).map_err(|_| "it is no object of JSON".to_owned())?;
        for (name, value) in fields {
            let name = if before.is_empty() {
                name.into_owned()
            } else {
                format!("{before}.{name}")
            };
            let value = value.get().trim();
            let place = self.places.get(&name).copied();
            if value.starts_with('{') && place.is_none() && depth < DEEPEST {
                self.object(&name, value, cells, depth + 1)?;
                continue;
            }
            let Some(place) = place else {
                if !self.dataset.source.ignore.contains(&name) {
                    self.drift.meet(&name);
                }
                continue;
            };
            self.seen.insert(place);
            let cell = match value.as_bytes().first() {
                Some(b'"') => Some(serde_json::from_str(value).map_err(|_| format!("`{name}` is no text"))?),
                Some(b'{' | b'[') => return Err(format!("`{name}` holds a list or an object")),
                _ if value == "null" => None,
                _ => Some(value.to_owned()),
            };
            if let Some(slot) = cells.get_mut(place) {
                *slot = cell;
            }
        }
        Ok(())
    }

    fn drift(mut self) -> Drift {
        let unseen = self.places.iter().filter(|(_, place)| !self.seen.contains(place));
        self.drift.missing = unseen.map(|(name, _)| name.clone()).collect();
        self.drift
    }
}

pub(super) fn lines<R: Read>(
    dataset: &Dataset,
    mut input: Decoded<R>,
    collector: &mut Collector<'_>,
) -> Result<Drift, HubError> {
    let mut rows = Rows::new(dataset, collector);
    let most = u64::try_from(LARGEST_ROW).unwrap_or(u64::MAX);
    let (mut line, mut number) = (String::new(), 0);
    loop {
        line.clear();
        number += 1;
        let read = (&mut input)
            .take(most)
            .read_line(&mut line)
            .map_err(|error| HubError::at(format!("line {number}"), error.to_string()))?;
        if read == 0 {
            return Ok(rows.drift());
        }
        if read == LARGEST_ROW {
            return Err(HubError::at(format!("line {number}"), "it is longer than 4 MiB"));
        }
        if !line.trim().is_empty() {
            rows.row(number, &line)?;
        }
    }
}

pub(super) fn array<R: Read>(
    dataset: &Dataset,
    input: Decoded<R>,
    collector: &mut Collector<'_>,
) -> Result<Drift, HubError> {
    let mut rows = Rows::new(dataset, collector);
    let (input, since) = Bounded::new(input);
    let mut stopped = None;
    let mut found = false;
    let mut reader = serde_json::Deserializer::from_reader(BufReader::new(input));
    let seed = Way {
        rest: &dataset.source.rows,
        each: &mut |place, text: &str| {
            since.set(0);
            rows.row(place, text).map_err(|error| stopped = Some(error))
        },
        found: &mut found,
    };
    let done = seed.deserialize(&mut reader).and_then(|()| reader.end());
    match (stopped, done) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => {
            let why = "it is no JSON there, or a row is larger than 4 MiB";
            Err(HubError::at(format!("line {}", error.line()), why))
        }
        (None, Ok(())) if !found => {
            let way = dataset.source.rows.join(".");
            let why = format!("there is no list of rows at `{way}`; look at `rows` in the folder");
            Err(HubError::source(why))
        }
        (None, Ok(())) => Ok(rows.drift()),
    }
}

/// The way through objects to the array of rows.
struct Way<'a> {
    rest: &'a [String],
    each: &'a mut dyn FnMut(u64, &str) -> Result<(), ()>,
    found: &'a mut bool,
}

impl<'de> DeserializeSeed<'de> for Way<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.rest.is_empty() {
            deserializer.deserialize_seq(self)
        } else {
            deserializer.deserialize_map(self)
        }
    }
}

impl<'de> Visitor<'de> for Way<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (step, rest) = self.rest.split_first().unzip();
        while let Some(name) = map.next_key::<String>()? {
            if Some(&name) == step && !*self.found {
                map.next_value_seed(Way {
                    rest: rest.unwrap_or_default(),
                    each: &mut *self.each,
                    found: &mut *self.found,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        *self.found = true;
        let mut number = 0;
        while let Some(row) = seq.next_element::<Box<RawValue>>()? {
            number += 1;
            (self.each)(number, row.get()).map_err(|()| serde::de::Error::custom("stopped"))?;
        }
        Ok(())
    }
}
