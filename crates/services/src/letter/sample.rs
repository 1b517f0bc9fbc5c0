//! The data a letter gets, by an example of each kind. `service check` makes every letter from it.

use rules::{Entity, RuleSet};
use serde_json::{Value, json};

use civic::Language;

use crate::Meta;
use crate::round::Rounds;

/// Kinds of letters that every service has: 核定, 否准, 通知補正.
pub const KINDS: [&str; 3] = ["approved", "refused", "correction"];

/// The letter that claims back what was paid too much (溢領追繳), of services that recover.
pub const RECOVERY: &str = "recovery";

/// Data of a letter of this kind as a case would give it.
///
/// With `later` the case takes the place of an earlier one.
pub(crate) fn sample(
    kind: &str,
    meta: &Meta,
    rules: &RuleSet,
    amounts: &[String],
    rounds: Option<&Rounds>,
    later: Option<&str>,
) -> Value {
    let language = Language::ZhTw;
    let title = |name: &str| {
        rules
            .steps()
            .iter()
            .find(|step| step.name == name)
            .map_or(name.to_owned(), |step| step.title.get(language).to_owned())
    };
    let amounts: Vec<Value> = amounts
        .iter()
        .map(|name| json!({ "name": title(name), "amount": 8329, "text": civic::Money(8329).to_string() }))
        .collect();
    let conditions = rules
        .steps()
        .iter()
        .filter(|step| step.is_condition && step.entity != Entity::Person)
        .take(3);
    let reasons: Vec<Value> = conditions
        .map(|step| json!({ "title": step.title.get(language), "law": step.law }))
        .collect();
    let mut data = json!({
        "city": "臺中市政府",
        "agency": meta.agency.get(language),
        "phone": "04-22289111",
        "service": meta.name.get(language),
        "number": format!("115-{}-000001", meta.series),
        "date": "民國115年11月25日",
        "submitted": "民國115年11月20日",
        "recipient": { "name": "林阿梅", "address": "臺中市西區大忠里8鄰民生路1號" },
        "reference_date": "民國115年11月20日",
        "amounts": if kind == "approved" { amounts } else { Vec::new() },
        "first_month": "民國115年11月",
        "last_month": "民國115年12月",
        "reasons": if kind == "refused" { reasons } else { Vec::new() },
        "text": "請補上戶口名簿影本。\n如有疑問，請來電。",
        "legal_basis": meta.legal_basis,
    });
    if let (Some(rounds), Some(data)) = (rounds, data.as_object_mut()) {
        let name = rounds.rounds.first().map_or("", |round| round.name.get(language));
        let places = rounds.places.iter().take(2).map(|place| place.name.get(language));
        let classes = rounds
            .class_order
            .iter()
            .take(1)
            .filter_map(|class| rounds.classes.get(class));
        let round = json!({
            "name": name,
            "draw": "民國115年12月16日",
            "choices": places.collect::<Vec<_>>(),
            "classes": classes.map(|class| class.get(language)).collect::<Vec<_>>(),
            "persons": ["林小明"],
        });
        data.insert("round".to_owned(), round);
    }
    if let (Some(kind), Some(data)) = (later, data.as_object_mut()) {
        let number = format!("114-{}-000007", meta.series);
        let later = json!({ "kind": kind, "number": number, "from": "民國115年11月" });
        data.insert("later".to_owned(), later);
    }
    if kind == "correction"
        && let Some(data) = data.as_object_mut()
    {
        data.insert("due".to_owned(), "民國115年12月10日".into());
    }
    if kind == RECOVERY
        && let Some(data) = data.as_object_mut()
    {
        let months = json!([
            { "month": "民國115年9月", "amount": "新臺幣 8,329 元" },
            { "month": "民國115年10月", "amount": "新臺幣 8,329 元" },
        ]);
        let law = meta.recovery.as_ref().map(|recovery| recovery.law.as_str());
        data.insert("due".to_owned(), "民國115年12月24日".into());
        data.insert("months".to_owned(), months);
        data.insert("total".to_owned(), "新臺幣 16,658 元".into());
        data.insert("law".to_owned(), law.unwrap_or_default().into());
    }
    data
}
