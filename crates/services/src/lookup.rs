//! `[[lookup]]` of `service.toml`: what the office may ask of the city's datasets about a case (資料查調).

use rules::Mistake;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::folder::{TextFile, did_you_mean};
use crate::form::{Answers, Form};

/// A question that a case may put to a dataset. Which columns a dataset may be asked by and for stands in its own folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lookup {
    /// Folder name of the dataset.
    pub dataset: String,
    /// Group of the form whose items are asked about, each by itself; without one it is the case.
    pub group: Option<String>,
    /// Fields with the values it is asked by, in the order of the dataset's own `by`.
    pub by: Vec<String>,
    /// Columns that are answered.
    pub columns: Vec<String>,
    /// The law it rests on; `verify` marks what has not been compared with its text.
    pub law: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookupFile {
    dataset: String,
    group: Option<Spanned<String>>,
    by: Spanned<Vec<Spanned<String>>>,
    columns: Spanned<Vec<String>>,
    law: Spanned<String>,
}

impl Lookup {
    /// The items of a case that it asks about; one without a name where it asks about the case.
    #[must_use]
    pub fn items<'a>(&self, answers: &'a Answers) -> Vec<Option<&'a str>> {
        match &self.group {
            Some(group) => answers.items(group).iter().map(|item| Some(item.as_str())).collect(),
            None => vec![None],
        }
    }

    /// The values an item is asked by; nothing while one of them is not answered.
    #[must_use]
    pub fn key<'a>(&self, answers: &'a Answers, item: Option<&str>) -> Option<Vec<&'a str>> {
        let value = |field: &String| {
            let key = crate::form::key(self.group.as_deref(), item, field);
            answers.value(&key)?.as_str()
        };
        self.by.iter().map(value).collect()
    }
}

impl LookupFile {
    /// As the service keeps it.
    pub(crate) fn lookup(&self) -> Lookup {
        let names = self.by.get_ref().iter().map(|field| field.get_ref().clone());
        Lookup {
            dataset: self.dataset.clone(),
            group: self.group.as_ref().map(|group| group.get_ref().clone()),
            by: names.collect(),
            columns: self.columns.get_ref().clone(),
            law: self.law.get_ref().clone(),
        }
    }

    /// What is wrong in it by itself.
    pub(crate) fn mistakes(&self, file: &TextFile) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let mut wrong = |at, message: &str, advice: &str| {
            mistakes.push(file.mistake(&at, message, advice.to_owned()));
        };
        if self.by.get_ref().is_empty() {
            wrong(
                self.by.span(),
                "nobody can be asked about without a field",
                "name the field, as `by = [\"national_id\"]`",
            );
        }
        if self.columns.get_ref().is_empty() {
            wrong(
                self.columns.span(),
                "a lookup that asks for nothing is not needed",
                "name the columns of the dataset that the office needs",
            );
        }
        if self.law.get_ref().trim().is_empty() {
            wrong(
                self.law.span(),
                "the law of the lookup is empty",
                "cite it, as `law = \"社會救助法第44條之3\"`",
            );
        }
        mistakes
    }

    /// Groups and fields that the form does not have.
    pub(crate) fn unknown(&self, file: &TextFile, form: &Form) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let group = self.group.as_ref().map(Spanned::get_ref);
        if let Some(name) = &self.group
            && form.group(name.get_ref()).is_none()
        {
            let known = form.groups.iter().map(|group| group.id.as_str());
            let advice = did_you_mean(name.get_ref(), known);
            mistakes.push(file.mistake(
                &name.span(),
                format!("the form has no group `{}`", name.get_ref()),
                advice,
            ));
            return mistakes;
        }
        let pages = || form.pages.iter().filter(|page| page.group.as_ref() == group);
        let fields = || pages().flat_map(|page| &page.fields).map(|field| field.id.as_str());
        for field in self.by.get_ref() {
            if !fields().any(|known| known == field.get_ref()) {
                let advice = did_you_mean(field.get_ref(), fields());
                let message = format!("the form has no field `{}` there", field.get_ref());
                mistakes.push(file.mistake(&field.span(), message, advice));
            }
        }
        mistakes
    }
}
