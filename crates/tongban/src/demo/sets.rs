//! What the agencies of the demonstration MyData platform answer about a resident, in the shapes that
//! `datasets/mydata/*.toml` read.

use civic::roc;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::city::{NAME, Resident};
use super::family::{Person, Relation};
use super::marginals::figures;

/// A data set about a resident and the counted family; nothing for a set that nobody here keeps.
pub(super) fn data_set(resident: &Resident, resource: &str, today: Date) -> Option<Value> {
    let issued = today.to_string();
    Some(match resource {
        "API.HouseReg01" => household(resident, &issued)?,
        "API.IncomeYr01" => {
            let year = roc::year(today) - 1;
            let persons = each(resident, |person| {
                let facts = &person.facts;
                json!({ "wages": facts.work_income, "interest": facts.interest, "dividends": facts.dividends, "rent": facts.rent, "other": facts.other_income })
            });
            json!({ "issued": issued, "year": year, "persons": persons })
        }
        "API.Property01" => {
            let persons = each(resident, |person| {
                let facts = &person.facts;
                let mut one = json!({ "land": facts.land, "house": facts.house, "investments": facts.investments });
                if facts.deposits_reported {
                    one["deposits"] = facts.deposits.into();
                }
                one
            });
            json!({ "issued": issued, "persons": persons })
        }
        "API.Disabled01" => {
            json!({ "issued": issued, "persons": each(resident, |person| json!({ "degree": degree(person.facts.disability) })) })
        }
        "API.EntryExit1" => {
            let own = resident.person()?;
            let id = resident.id_of(resident.index)?;
            json!({ "issued": issued, "persons": [{ "national_id": id.reveal(), "days_in_country": own.facts.days_in_country }] })
        }
        "API.Welfare001" => {
            let family = &resident.family;
            let persons = each(
                resident,
                |person| json!({ "in_public_care": person.facts.in_public_care }),
            );
            json!({
                "issued": issued,
                "listed": listed(family.listed),
                "allowance": allowance(family.other_allowance),
                "monthly_aid": family.other_public_aid,
                "persons": persons,
            })
        }
        _ => return None,
    })
}

/// The persons that a set carries: the resident and everybody who may be counted with them.
fn carried(resident: &Resident) -> impl Iterator<Item = (usize, &Person, Relation)> {
    let own = resident.person();
    let persons = resident.family.persons.iter().enumerate();
    let mut carried: Vec<_> = persons
        .filter_map(|(index, person)| {
            let relation = resident.family.relation(own?, person);
            let counted = relation != Relation::Other || person.facts.claims_as_dependant;
            counted.then_some((index, person, relation))
        })
        .collect();
    // the person who asks comes first
    carried.sort_by_key(|(index, ..)| (*index != resident.index, *index));
    carried.into_iter()
}

fn each(resident: &Resident, values: impl Fn(&Person) -> Value) -> Vec<Value> {
    let persons = carried(resident).filter_map(|(index, person, _)| {
        let mut one = values(person);
        one["national_id"] = resident.id_of(index)?.reveal().into();
        Some(one)
    });
    persons.collect()
}

/// Which registration somebody stands in: the head's, or that of the own dwelling.
fn registration(person: &Person) -> usize {
    if person.registered_with_head {
        0
    } else {
        person.dwelling + 1
    }
}

fn household(resident: &Resident, issued: &str) -> Option<Value> {
    let figures = figures().ok()?;
    let own = resident.person()?;
    let homes = &resident.family.homes;
    let home = if own.registered_with_head {
        homes.first()
    } else {
        homes.get(own.dwelling)
    }?;
    let (district, village, address) = home.written(figures, NAME);
    let members: Vec<Value> = carried(resident)
        .filter_map(|(index, person, relation)| {
            Some(json!({
                "national_id": resident.id_of(index)?.reveal(),
                "name": person.name.to_string(),
                "birth_date": format!("{:03}{:02}{:02}", roc::year(person.birth), person.birth.month(), person.birth.day()),
                "relation": relation.word(person.woman),
                "same_registration": registration(person) == registration(own),
            }))
        })
        .collect();
    Some(json!({
        "issued": issued,
        "household": { "county": NAME, "district": district, "village": village, "address": address },
        "members": members,
    }))
}

fn degree(code: &str) -> &'static str {
    match code {
        "mild" => "輕度",
        "moderate" => "中度",
        "severe" => "重度",
        "profound" => "極重度",
        _ => "無",
    }
}

fn listed(code: &str) -> &'static str {
    match code {
        "low" => "低收入戶",
        "middle_low" => "中低收入戶",
        _ => "無",
    }
}

fn allowance(code: &str) -> &'static str {
    match code {
        "farmer" => "老年農民福利津貼",
        "basic_pension_old_age" => "國民年金老年基本保證年金",
        "basic_pension_disability" => "國民年金身心障礙基本保證年金",
        "disability_living" => "身心障礙者生活補助費",
        _ => "無",
    }
}
