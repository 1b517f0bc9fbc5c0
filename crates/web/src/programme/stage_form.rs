//! The form of one stage of the self-assessment: what stands in its fields, and the row that the fields make.

use grants::assessment::{Done, Entry, Evidence, Extra, MOST_ENTRIES, Refused, Row};
use grants::programme::Stage;

use super::form::numbers;
use super::lines;
use crate::posted::Raw;

/// The stage is left out, its platform stands, or this plan builds it.
pub(super) const STANDS: &str = "stands";
pub(super) const NONE: &str = "none";
pub(super) const PLAN: &str = "plan";
pub(super) const BUILT: &str = "built";

fn put(raw: &mut Raw, name: impl Into<String>, value: impl Into<String>) {
    let value = value.into();
    if !value.is_empty() {
        raw.entry(name.into()).or_default().push(value);
    }
}

fn tick(raw: &mut Raw, name: impl Into<String>, on: bool) {
    if on {
        put(raw, name, "1");
    }
}

/// What stands in the fields of a stage; of an item that stands twice in one list the first.
pub(super) fn values(row: Option<&Row>, stage: &Stage) -> Raw {
    let mut raw = Raw::new();
    let Some(row) = row else {
        return raw;
    };
    put(&mut raw, STANDS, if row.is_built() { BUILT } else { PLAN });
    for (at, one) in row.evidence.iter().enumerate() {
        let stem = format!("evidence.{at}");
        put(&mut raw, format!("{stem}.title"), &one.title);
        put(&mut raw, format!("{stem}.address"), &one.address);
        put(&mut raw, format!("{stem}.account"), &one.account);
        put(&mut raw, format!("{stem}.group"), one.group.clone().unwrap_or_default());
        tick(&mut raw, format!("{stem}.login"), one.login);
    }
    for item in stage.designated() {
        let stem = format!("item.{}", item.id);
        if let Some(one) = row.done.iter().find(|one| one.item == item.id) {
            tick(&mut raw, format!("{stem}.done"), true);
            put(
                &mut raw,
                format!("{stem}.done.title"),
                one.title.clone().unwrap_or_default(),
            );
            put(&mut raw, format!("{stem}.done.address"), &one.address);
            put(&mut raw, format!("{stem}.done.account"), &one.account);
            tick(&mut raw, format!("{stem}.done.login"), one.login);
        }
        if let Some(one) = row.planned.iter().find(|one| one.item == item.id) {
            tick(&mut raw, format!("{stem}.planned"), true);
            put(
                &mut raw,
                format!("{stem}.planned.title"),
                one.title.clone().unwrap_or_default(),
            );
            put(&mut raw, format!("{stem}.planned.text"), &one.text);
        }
        if let Some(one) = row.refused.iter().find(|one| one.item.as_ref() == Some(&item.id)) {
            tick(&mut raw, format!("{stem}.refused"), true);
            put(
                &mut raw,
                format!("{stem}.refused.title"),
                one.title.clone().unwrap_or_default(),
            );
            put(&mut raw, format!("{stem}.refused.text"), &one.reason);
        }
    }
    for (at, one) in row.extra.iter().enumerate() {
        let stem = format!("extra.{at}");
        put(&mut raw, format!("{stem}.title"), &one.title);
        put(&mut raw, format!("{stem}.text"), &one.text);
        put(
            &mut raw,
            format!("{stem}.redesigns"),
            one.redesigns.clone().unwrap_or_default(),
        );
        put(&mut raw, format!("{stem}.group"), one.group.clone().unwrap_or_default());
    }
    for group in &stage.groups {
        let refused = row.refused.iter().find(|one| one.group.as_ref() == Some(&group.id));
        put(
            &mut raw,
            format!("group.{}.reason", group.id),
            refused.map_or("", |one| one.reason.as_str()),
        );
        tick(
            &mut raw,
            format!("group.{}.empty", group.id),
            row.empty_groups.contains(&group.id),
        );
    }
    put(&mut raw, "nothing", row.nothing.clone().unwrap_or_default());
    raw
}

fn some(raw: &Raw, name: &str) -> Option<String> {
    Some(lines(raw, name)).filter(|text| !text.is_empty())
}

fn is_ticked(raw: &Raw, name: &str) -> bool {
    raw.contains_key(name)
}

/// The row that the fields make, nothing where the stage is left out; or the field that contradicts the others with what is wrong.
pub(super) fn row(raw: &Raw, stage: &Stage) -> Result<Option<Row>, (String, &'static str)> {
    let mut row = Row {
        stage: stage.id.clone(),
        ..Row::default()
    };
    for at in numbers(raw, "evidence", MOST_ENTRIES) {
        let stem = format!("evidence.{at}");
        let one = Evidence {
            title: lines(raw, &format!("{stem}.title")),
            address: lines(raw, &format!("{stem}.address")),
            login: is_ticked(raw, &format!("{stem}.login")),
            account: lines(raw, &format!("{stem}.account")),
            group: some(raw, &format!("{stem}.group")),
        };
        if !(one.title.is_empty() && one.address.is_empty() && one.account.is_empty()) {
            row.evidence.push(one);
        }
    }
    for item in stage.designated() {
        let stem = format!("item.{}", item.id);
        if is_ticked(raw, &format!("{stem}.done")) {
            row.done.push(Done {
                item: item.id.clone(),
                title: some(raw, &format!("{stem}.done.title")),
                address: lines(raw, &format!("{stem}.done.address")),
                login: is_ticked(raw, &format!("{stem}.done.login")),
                account: lines(raw, &format!("{stem}.done.account")),
            });
        }
        if is_ticked(raw, &format!("{stem}.planned")) {
            row.planned.push(Entry {
                item: item.id.clone(),
                title: some(raw, &format!("{stem}.planned.title")),
                text: lines(raw, &format!("{stem}.planned.text")),
            });
        }
        if is_ticked(raw, &format!("{stem}.refused")) {
            row.refused.push(Refused {
                item: Some(item.id.clone()),
                group: None,
                title: some(raw, &format!("{stem}.refused.title")),
                reason: lines(raw, &format!("{stem}.refused.text")),
            });
        }
    }
    for at in numbers(raw, "extra", MOST_ENTRIES) {
        let stem = format!("extra.{at}");
        let one = Extra {
            title: lines(raw, &format!("{stem}.title")),
            text: lines(raw, &format!("{stem}.text")),
            redesigns: some(raw, &format!("{stem}.redesigns")),
            group: some(raw, &format!("{stem}.group")),
        };
        if !(one.title.is_empty() && one.text.is_empty()) {
            row.extra.push(one);
        }
    }
    for group in &stage.groups {
        if let Some(reason) = some(raw, &format!("group.{}.reason", group.id)) {
            row.refused.push(Refused {
                item: None,
                group: Some(group.id.clone()),
                title: None,
                reason,
            });
        }
        if is_ticked(raw, &format!("group.{}.empty", group.id)) {
            row.empty_groups.push(group.id.clone());
        }
    }
    row.nothing = some(raw, "nothing");
    let holds_nothing = row
        == Row {
            stage: stage.id.clone(),
            ..Row::default()
        };
    match lines(raw, STANDS).as_str() {
        NONE if holds_nothing => Ok(None),
        NONE => Err((STANDS.to_owned(), "programme-stage-none-with")),
        PLAN if row.evidence.is_empty() => Ok(Some(row)),
        PLAN => Err((STANDS.to_owned(), "programme-stage-plan-with")),
        BUILT if row.evidence.is_empty() => Err(("evidence.0.title".to_owned(), "programme-stage-built-without")),
        BUILT => Ok(Some(row)),
        _ => Err((STANDS.to_owned(), "programme-stage-choose")),
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where its ground gives way")]

    use super::*;
    use grants::Programme;
    use grants::assessment::{Assessment, table};
    use std::path::Path;

    pub(in crate::programme) fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programmes/moda-114")
    }

    /// The rows that an example of annex 2 is made of.
    pub(in crate::programme) fn example(number: usize) -> Assessment {
        let path = folder().join(format!("cases/assessment-{number:02}.toml"));
        let file: toml::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let given = file.get("case").unwrap().as_array().unwrap()[0].get("given").unwrap();
        given.clone().try_into().unwrap()
    }

    #[test]
    fn each_example_of_the_annex_comes_back_from_the_wizard() {
        let programme = Programme::load(&folder()).unwrap();
        for number in 1..=13 {
            let given = example(number);
            let mut made = Assessment::default();
            for stage in &programme.stages {
                let mut raw = values(given.row(&stage.id), stage);
                raw.entry(STANDS.to_owned()).or_insert_with(|| vec![NONE.to_owned()]);
                made.rows.extend(row(&raw, stage).unwrap());
            }
            assert_eq!(made, given, "example {number}");
            assert_eq!(table(&made, &programme), table(&given, &programme), "example {number}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_told_and_not_lost() {
        let programme = Programme::load(&folder()).unwrap();
        let stage = programme.stage("A1").unwrap();
        let typed = |pairs: &[(&str, &str)]| -> Raw {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
                .collect()
        };
        let wrong = |pairs: &[(&str, &str)]| row(&typed(pairs), stage).unwrap_err().1;
        assert_eq!(wrong(&[]), "programme-stage-choose");
        assert_eq!(wrong(&[("stands", "built")]), "programme-stage-built-without");
        let evidence = ("evidence.0.title", "雲端聯合服務中心");
        assert_eq!(wrong(&[("stands", "plan"), evidence]), "programme-stage-plan-with");
        assert_eq!(wrong(&[("stands", "none"), evidence]), "programme-stage-none-with");
        assert_eq!(row(&typed(&[("stands", "none")]), stage), Ok(None));
    }
}
