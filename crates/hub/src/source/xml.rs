//! XML: an element a row. Attributes of the row are columns `@name`, elements within it columns of their name, those
//! deeper `outer/inner`. No document type and no entities but those of XML itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::{Bounded, Broken, Collector, Drift};
use crate::dataset::Dataset;
use crate::encoding::Decoded;
use crate::error::HubError;
use crate::values::Problem;

/// Deepest element of a row.
const DEEPEST: usize = 8;

/// A row while it is read.
#[derive(Default)]
struct Row {
    cells: Vec<Option<String>>,
    /// Names of the elements open within the row.
    open: Vec<String>,
    text: String,
    broken: Option<String>,
}

pub(super) fn read<R: Read>(
    dataset: &Dataset,
    input: Decoded<R>,
    collector: &mut Collector<'_>,
) -> Result<Drift, HubError> {
    let names: Vec<String> = super::wanted(dataset).into_iter().map(str::to_owned).collect();
    collector.begin(names.clone());
    let places: BTreeMap<String, usize> = names.into_iter().enumerate().map(|(at, name)| (name, at)).collect();
    let mut seen = BTreeSet::new();
    let mut drift = Drift::default();
    let mut put = |row: &mut Row, name: &str, text: &str| {
        let Some(place) = places.get(name) else {
            if !dataset.source.ignore.contains(name) {
                drift.meet(name);
            }
            return;
        };
        seen.insert(*place);
        match row.cells.get_mut(*place) {
            Some(slot @ None) => *slot = Some(text.to_owned()),
            Some(Some(_)) => row.broken = Some(format!("`{name}` stands twice in it")),
            None => {}
        }
    };
    let (input, since) = Bounded::new(input);
    let mut reader = Reader::from_reader(BufReader::new(input));
    let mut buffer = Vec::new();
    let (mut way, mut row, mut number): (Vec<String>, Option<Row>, u64) = (Vec::new(), None, 0);
    loop {
        buffer.clear();
        let wrong = |what: &str| HubError::at(format!("item {}", number + 1), what);
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|_| wrong("it is no XML there, or a row is larger than 4 MiB"))?;
        let empty = matches!(event, Event::Empty(_));
        match event {
            Event::Start(start) | Event::Empty(start) => {
                let name = start.local_name().into_inner().to_owned();
                if let Some(row) = &mut row {
                    row.text.clear();
                    row.open.push(name);
                    if row.open.len() > DEEPEST {
                        return Err(wrong("elements are nested deeper than 8"));
                    }
                } else {
                    way.push(name);
                    if way.len() > dataset.source.rows.len() + DEEPEST {
                        return Err(wrong("elements are nested too deep before any row"));
                    }
                    if way == dataset.source.rows {
                        since.set(0);
                        let mut begun = Row {
                            cells: vec![None; places.len()],
                            ..Row::default()
                        };
                        attributes(&start, |name, text| put(&mut begun, &format!("@{name}"), text))
                            .map_err(|()| wrong("an attribute can't be read"))?;
                        row = Some(begun);
                    }
                }
                if !empty {
                    continue;
                }
            }
            Event::Text(text) => {
                if let Some(row) = &mut row {
                    row.text.push_str(&text.xml_content(XmlVersion::Explicit1_0));
                }
                continue;
            }
            Event::CData(text) => {
                if let Some(row) = &mut row {
                    row.text.push_str(&text.xml_content(XmlVersion::Explicit1_0));
                }
                continue;
            }
            Event::GeneralRef(reference) => {
                let Some(row) = &mut row else { continue };
                let name = reference.xml_content(XmlVersion::Explicit1_0);
                match reference.resolve_char_ref() {
                    Ok(Some(character)) => row.text.push(character),
                    Ok(None) => match quick_xml::escape::resolve_xml_entity(&name) {
                        Some(text) => row.text.push_str(text),
                        None => return Err(wrong("it uses an entity that is not XML's own")),
                    },
                    Err(_) => return Err(wrong("a character reference can't be read")),
                }
                continue;
            }
            Event::DocType(_) => {
                return Err(wrong("it has a document type, which is not read; have it sent without"));
            }
            Event::Eof if !way.is_empty() => return Err(wrong("the file ends too early")),
            Event::Eof => break,
            Event::End(_) => {}
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => continue,
        }
        // an element ends here
        match row.take() {
            Some(mut inside) if !inside.open.is_empty() => {
                let name = inside.open.join("/");
                let text = std::mem::take(&mut inside.text);
                // what only holds other elements is no cell
                if places.contains_key(&name) || !text.trim().is_empty() {
                    put(&mut inside, &name, text.trim());
                }
                inside.open.pop();
                row = Some(inside);
            }
            Some(done) => {
                way.pop();
                number += 1;
                match done.broken {
                    None => collector.row(number, done.cells.iter().map(Option::as_deref))?,
                    Some(why) => collector.broken(Broken {
                        place: number,
                        problem: Problem::Broken(why),
                        cells: done.cells.into_iter().map(Option::unwrap_or_default).collect(),
                    })?,
                }
            }
            None => {
                way.pop();
                since.set(0);
            }
        }
    }
    if number == 0 {
        let way = dataset.source.rows.join("/");
        let why = format!("there is no row at `{way}`; look at `rows` in the folder");
        return Err(HubError::source(why));
    }
    drift.missing = places
        .into_iter()
        .filter(|(_, place)| !seen.contains(place))
        .map(|(name, _)| name)
        .collect();
    Ok(drift)
}

fn attributes(start: &BytesStart<'_>, mut each: impl FnMut(&str, &str)) -> Result<(), ()> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| ())?;
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|_| ())?;
        each(attribute.key.local_name().into_inner(), &value);
    }
    Ok(())
}
