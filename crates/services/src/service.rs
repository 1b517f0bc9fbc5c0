//! One service: its folder read whole, with everything wrong in it told at once.

use std::collections::BTreeMap;
use std::path::Path;

use civic::Language;
use rules::{Mistake, RuleSet};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::card::{self, CityCard};
use crate::catalogue::Datasets;
use crate::confirm::{self, Confirmation};
use crate::folder::{TextFile, at_top, did_you_mean, names, suggest};
use crate::form::{self, Distinct, Form, Known};
use crate::letter::{Letter, LetterError, Letters};
use crate::messages::Messages;
use crate::meta::{self, ReadMeta};
use crate::notice::Notice;
use crate::roll::{self, Rolls};
use crate::round::{self, Rounds};
use crate::{Meta, texts};

/// Files and folders that are read.
const READ: &[&str] = &[
    "service.toml",
    "roll.toml",
    "form.toml",
    "rules.toml",
    "round.toml",
    "places.csv",
    "seats.csv",
    "confirm.toml",
    "card.toml",
    "bodies.csv",
    "parameters",
    "letters",
    "messages",
    "cases",
];

/// A public service (公共服務), ready to offer.
#[derive(Debug)]
pub struct Service {
    /// Name of its folder.
    pub id: String,
    /// SHA-256 of everything that makes it, without the worked examples, hex.
    pub digest: String,
    /// Names, agency, law, periods, payment.
    pub meta: Meta,
    /// The form.
    pub form: Form,
    /// The decision.
    pub rules: RuleSet,
    /// Rounds, where there are fewer places than applicants.
    pub rounds: Option<Rounds>,
    /// Rolls, where the city gives of its own motion.
    pub rolls: Option<Rolls>,
    /// What outside bodies confirm before the decision, if anything.
    pub confirmation: Option<Confirmation>,
    /// The card that a granted case puts into the digital wallet, if any.
    pub card: Option<CityCard>,
    /// Messages that it words itself.
    pub messages: Messages,
    notice: Notice,
    translated: BTreeMap<Language, Notice>,
    letters: Letters,
}

impl Service {
    /// Reads and checks a folder. `datasets` are the MyData sets and cards that the city reads; without them what comes from
    /// there is not checked. Worked examples are not run and letters not made: that is what [`crate::check`] is for.
    ///
    /// # Errors
    /// Every mistake found, with file, line and column.
    pub fn load(folder: &Path, datasets: Option<&Datasets>) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let rules = keep(RuleSet::load(folder), &mut mistakes);
        let meta_file = keep(
            TextFile::read(folder, "service.toml").map_err(|mistake| vec![mistake]),
            &mut mistakes,
        );
        let form_file = keep(
            TextFile::read(folder, "form.toml").map_err(|mistake| vec![mistake]),
            &mut mistakes,
        );
        let name = folder.file_name().and_then(|name| name.to_str());
        let meta = meta_file
            .as_ref()
            .and_then(|file| keep(meta::load(file, name, roll::is_in(folder)), &mut mistakes));
        let sets = meta.as_ref().map(|meta| meta.meta.mydata.as_slice());
        let places = keep(round::places(folder), &mut mistakes).unwrap_or_default();
        let bodies = keep(confirm::bodies(folder), &mut mistakes).unwrap_or_default();
        let known = Known {
            rules: rules.as_ref(),
            sets,
            mappings: datasets.map(|datasets| &datasets.mappings),
            taken: meta.as_ref().map(|meta| meta.meta.wallet.as_slice()),
            cards: datasets.map(|datasets| &datasets.cards),
            places: &places,
            bodies: &bodies,
        };
        let mut form = form_file
            .as_ref()
            .and_then(|file| keep(form::load(file, &known), &mut mistakes));
        let rules_file = TextFile::read(folder, "rules.toml").ok();
        for file in [&meta_file, &form_file, &rules_file].into_iter().flatten() {
            mistakes.extend(texts::check(file));
        }
        let named = places
            .iter()
            .map(|place| (&place.id, &place.name))
            .chain(bodies.iter().map(|body| (&body.id, &body.name)))
            .map(|(id, name)| format!("{id}={name:?}"))
            .collect::<Vec<_>>()
            .join("\n");
        let rounds = match (&form, &rules) {
            (Some(form), Some(rules)) => keep(round::load(folder, places, form, rules), &mut mistakes).flatten(),
            _ => None,
        };
        let rolls = keep(roll::load(folder), &mut mistakes).flatten();
        let proactive = rolls.as_ref().is_some_and(|rolls| rolls.of == roll::Of::Entitled);
        if let (true, Some(file), Some(form)) = (roll::is_in(folder) && proactive, &form_file, &form) {
            mistakes.extend(roll::unfilled(file, form));
        }
        if let (Some(form), Some(rounds)) = (&mut form, &rounds) {
            form.distinct = Distinct {
                fields: rounds.choices.clone(),
                values: rounds.places.iter().map(|place| place.id.clone()).collect(),
            };
        }
        let confirmation = match (&form, &rules) {
            (Some(form), Some(rules)) => keep(confirm::load(folder, bodies, form, rules), &mut mistakes).flatten(),
            _ => None,
        };
        let card = match (&meta, &form, &rules) {
            (Some(meta), Some(form), Some(rules)) => {
                keep(card::load(folder, &meta.meta, form, rules), &mut mistakes).flatten()
            }
            _ => None,
        };
        let notices = notices(folder, meta.as_ref(), &mut mistakes);
        let recovers = meta.as_ref().is_some_and(|meta| meta.meta.recovery.is_some());
        let letters = keep(Letters::read(folder, recovers), &mut mistakes);
        let messages = keep(Messages::read(folder), &mut mistakes).unwrap_or_default();
        if let (Some(file), Some(meta)) = (&meta_file, &meta) {
            mistakes.extend(sets_used(file, meta, form.as_ref(), datasets));
            mistakes.extend(cards_used(file, meta, form.as_ref(), datasets));
            if let (Some(invite), Some(rules)) = (&meta.invite, &rules) {
                mistakes.extend(invite.unknown(file, rules));
            }
            if let Some(form) = &form {
                mistakes.extend(meta.lookups.iter().flat_map(|lookup| lookup.unknown(file, form)));
            }
        }
        mistakes.extend(strangers(folder));
        let (Some(rules), Some(meta), Some(form), Some(letters)) = (rules, meta, form, letters) else {
            return Err(mistakes);
        };
        let mut translated = notices;
        let (true, Some(notice)) = (mistakes.is_empty(), translated.remove(&Language::ZhTw)) else {
            return Err(mistakes);
        };
        let mut digest = Sha256::new();
        let mut part = |name: &str, bytes: &[u8]| {
            for piece in [name.as_bytes(), bytes] {
                digest.update(u64::try_from(piece.len()).unwrap_or(u64::MAX).to_be_bytes());
                digest.update(piece);
            }
        };
        for file in [&meta_file, &form_file].into_iter().flatten() {
            part(&file.name, file.text.as_bytes());
        }
        if let Some((_, file)) = &card {
            part(&file.name, file.text.as_bytes());
        }
        part("rules", rules.digest().as_bytes());
        // the places are options of the form; windows and seats change from round to round and ask nothing anew
        part("places", named.as_bytes());
        for notice in std::iter::once(&notice).chain(translated.values()) {
            part(notice.language.tag(), notice.digest.as_bytes());
        }
        for (name, bytes) in letters.files() {
            part(name, bytes);
        }
        for (name, text) in messages.parts() {
            part(&name, text.as_bytes());
        }
        let digest = hex::encode(digest.finalize());
        Ok(Self {
            id: meta.meta.id.clone(),
            digest,
            meta: meta.meta,
            form,
            rules,
            rounds,
            rolls,
            confirmation,
            card: card.map(|(card, _)| card),
            messages,
            notice,
            translated,
            letters,
        })
    }

    /// The notice of Personal Data Protection Act §8 in a language, or in Chinese where it is not translated.
    #[must_use]
    pub fn notice(&self, language: Language) -> &Notice {
        self.translated.get(&language).unwrap_or(&self.notice)
    }

    /// Makes a letter, such as `approved`, from its data: the PDF. Takes a tenth of a second or so; call it where waiting
    /// is fine.
    ///
    /// # Errors
    /// [`LetterError`].
    pub fn letter(&self, kind: &str, data: &Value) -> Result<Vec<u8>, LetterError> {
        self.letters.make(&self.id, kind, data).map(|letter| letter.pdf)
    }

    /// As [`Service::letter`], with what is to be known of it: its pages, and characters that the font does not have.
    ///
    /// # Errors
    /// [`LetterError`].
    pub fn letter_with_report(&self, kind: &str, data: &Value) -> Result<Letter, LetterError> {
        self.letters.make(&self.id, kind, data)
    }
}

fn keep<T>(found: Result<T, Vec<Mistake>>, mistakes: &mut Vec<Mistake>) -> Option<T> {
    found.map_err(|found| mistakes.extend(found)).ok()
}

/// The notices of a folder, and whether they name what the law wants named.
fn notices(folder: &Path, meta: Option<&ReadMeta>, mistakes: &mut Vec<Mistake>) -> BTreeMap<Language, Notice> {
    let mut found = BTreeMap::new();
    for language in Language::ALL {
        let name = format!("notice.{}.md", language.tag());
        if !texts::NEEDED.contains(&language) && !folder.join(&name).exists() {
            continue;
        }
        let file = keep(TextFile::read(folder, &name).map_err(|mistake| vec![mistake]), mistakes);
        let Some(file) = file else { continue };
        if let Some(meta) = meta.map(|meta| &meta.meta) {
            for (code, what) in meta
                .purposes
                .iter()
                .map(|code| (code, "purpose"))
                .chain(meta.categories.iter().map(|code| (code, "category of data")))
            {
                if !file.text.contains(code.as_str()) {
                    let message = format!("the notice does not name the {what} `{code}` of service.toml");
                    mistakes.push(at_top(
                        &name,
                        message,
                        "the Personal Data Protection Act §8 wants it told; name it with its code",
                    ));
                }
            }
        }
        if let Some(notice) = keep(Notice::read(&file, language), mistakes) {
            found.insert(language, notice);
        }
    }
    found
}

/// Each set asked for must be known, and some field must need it: nobody asks for data without a purpose.
fn sets_used(file: &TextFile, meta: &ReadMeta, form: Option<&Form>, datasets: Option<&Datasets>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for set in &meta.mydata {
        let id = set.get_ref();
        if let Some(mappings) = datasets.map(|datasets| &datasets.mappings)
            && !mappings.contains_key(id)
        {
            let known = mappings.keys().map(String::as_str);
            let advice = suggest(id, known).or_else(|| Some(format!("write `datasets/mydata/{id}.toml`")));
            mistakes.push(file.mistake(&set.span(), format!("nothing says how to read the set `{id}`"), advice));
        }
        let used = form.is_none_or(|form| {
            form.pages
                .iter()
                .flat_map(|page| &page.fields)
                .any(|field| field.mydata.as_deref() == Some(id))
        });
        if !used {
            mistakes.push(file.mistake(
                &set.span(),
                format!("no field uses the set `{id}`"),
                "remove it: data without a purpose may not be asked for".to_owned(),
            ));
        }
    }
    mistakes
}

/// Each card taken must be known, and some field must need it.
fn cards_used(file: &TextFile, meta: &ReadMeta, form: Option<&Form>, datasets: Option<&Datasets>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for card in &meta.wallet {
        let id = card.get_ref();
        if let Some(cards) = datasets.map(|datasets| &datasets.cards)
            && !cards.contains_key(id)
        {
            let known = cards.keys().map(String::as_str);
            let advice = suggest(id, known).or_else(|| Some(format!("write `datasets/wallet/{id}.toml`")));
            mistakes.push(file.mistake(
                &card.span(),
                format!("nothing says how to read the card `{id}`"),
                advice,
            ));
        }
        let mut fields = form
            .into_iter()
            .flat_map(|form| &form.pages)
            .flat_map(|page| &page.fields);
        if form.is_some() && !fields.any(|field| field.wallet.as_deref() == Some(id)) {
            mistakes.push(file.mistake(
                &card.span(),
                format!("no field uses the card `{id}`"),
                "remove it: data without a purpose may not be asked for".to_owned(),
            ));
        }
    }
    mistakes
}

/// Files that nothing reads are mostly misspelt.
fn strangers(folder: &Path) -> Vec<Mistake> {
    let notice = |name: &str| {
        Language::ALL
            .iter()
            .any(|language| name == format!("notice.{}.md", language.tag()))
    };
    let mut mistakes = Vec::new();
    for ending in ["toml", "md", "csv", "typ"] {
        for name in names(folder, ending) {
            let known = READ.contains(&name.as_str()) || notice(&name) || name.starts_with("README");
            if !known {
                let near = did_you_mean(&name, READ.iter().copied().chain(["notice.zh-TW.md", "notice.en.md"]));
                let advice = near
                    .unwrap_or_else(|| "move it into `parameters/`, `letters/` or `cases/`, or remove it".to_owned());
                mistakes.push(at_top(&name, "nothing reads this file".to_owned(), &advice));
            }
        }
    }
    mistakes
}
