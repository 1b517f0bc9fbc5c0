//! What a form is made of.

use civic::{Language, Text};
use rules::Entity;
use serde_json::{Map, Value};

use super::{APPLICANT, Answers, Condition};

/// The form of one service.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Repeated groups, such as the members of the family.
    pub groups: Vec<Group>,
    /// Pages in the order residents meet them.
    pub pages: Vec<Page>,
    /// Fields that must not name the same place twice.
    pub distinct: Distinct,
}

/// Fields of the application, such as the choices (志願) of a round, of which no two may have the same of these values.
#[derive(Debug, Clone, Default)]
pub struct Distinct {
    /// The fields.
    pub fields: Vec<String>,
    /// The values that may stand once; others, such as `none`, may be repeated.
    pub values: Vec<String>,
}

/// A repeated group of pages: one round of its pages for each item.
#[derive(Debug, Clone)]
pub struct Group {
    /// Name in keys: `members`.
    pub id: String,
    /// Name of all items together.
    pub title: Text,
    /// Name of one item.
    pub item: Text,
    /// Whether each item is a person of the rules; the item `p1` is then the applicant.
    pub persons: bool,
    /// The field that tells one item from another, such as the national id.
    pub identity: Option<String>,
    /// The field that people know an item by, such as the name.
    pub label: Option<String>,
    /// The field by which a person of a register, who has no name there, is known again, such as the day of birth.
    pub known_by: Option<String>,
    /// The yes-or-no field that says whether a person belongs to the applicant's household registration.
    pub together: Option<String>,
    /// Rule inputs of the applicant that need no question, such as `relation = "self"`.
    pub applicant: Map<String, Value>,
    /// Most items there may be.
    pub max: usize,
}

/// Which items of its group a page is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Items {
    /// Every item.
    All,
    /// The applicant only.
    Applicant,
    /// Every item but the applicant.
    Others,
}

/// One page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Name in addresses.
    pub id: String,
    /// Heading.
    pub title: Text,
    /// What to know before answering.
    pub hint: Option<Text>,
    /// The group it is repeated for.
    pub group: Option<String>,
    /// For which items of the group.
    pub items: Items,
    /// Shown only where this is true.
    pub when: Option<Condition>,
    /// Its fields, in reading order.
    pub fields: Vec<Field>,
}

/// One field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Name within its page's group, or within the form.
    pub id: String,
    /// What kind of answer it takes.
    pub kind: FieldKind,
    /// The question.
    pub label: Text,
    /// How to answer it.
    pub hint: Option<Text>,
    /// The input of the rules that it fills.
    pub input: Option<InputName>,
    /// When it is asked.
    pub ask: Ask,
    /// Whether an asked field must be answered.
    pub required: bool,
    /// Shown only where this is true.
    pub when: Option<Condition>,
    /// Where its value may come from, the preferred first.
    pub sources: Vec<SourceKind>,
    /// The MyData set that gives it; agreeing to the set is the consent that covers it.
    pub mydata: Option<String>,
    /// The type of the card of the digital wallet that gives it; showing the card is the consent that covers it.
    pub wallet: Option<String>,
    /// The detail of the signed-in person that gives it: `name`, `national_id`, `birth_date`, `email`, `phone`, `address`.
    pub profile: Option<String>,
    /// Who besides the applicant may see it: `clerk`, `officer`, `cashier`.
    pub seen_by: Vec<String>,
}

/// An input of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputName {
    /// Person, household or case.
    pub entity: Entity,
    /// Its name.
    pub name: String,
}

/// When a field is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Always, whatever is known: the account for payment.
    Always,
    /// Only while the decision waits for it.
    Unknown,
    /// Never: it is only ever filled from elsewhere, and shown.
    Never,
}

/// Where a value may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A MyData set.
    MyData,
    /// A card of the digital wallet.
    Wallet,
    /// A register of the city.
    Register,
    /// The signed-in person's account.
    Profile,
    /// The person answers.
    Person,
}

/// One choice of a radios, select or checkboxes field.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The value kept.
    pub value: String,
    /// What people read.
    pub label: Text,
    /// More about it.
    pub hint: Option<Text>,
}

/// What kind of answer a field takes, and its limits.
#[derive(Debug, Clone)]
pub enum FieldKind {
    /// One line.
    Text {
        /// Most characters.
        max_length: usize,
    },
    /// Several lines.
    TextArea {
        /// Most characters.
        max_length: usize,
    },
    /// A whole number.
    Integer {
        /// Least.
        min: i64,
        /// Most.
        max: i64,
    },
    /// NT dollars.
    Money {
        /// Least.
        min: i64,
        /// Most.
        max: i64,
    },
    /// A day, entered in ROC years, in three boxes or one.
    Date {
        /// Whether a day after today is refused.
        past: bool,
    },
    /// Yes or no.
    YesNo,
    /// One of a few, all in sight.
    Radios(Vec<Choice>),
    /// One of many.
    Select(Vec<Choice>),
    /// Any of a few.
    Checkboxes(Vec<Choice>),
    /// National id or resident certificate (統一證號).
    NationalId,
    /// Mobile or land-line number.
    Phone,
    /// Mail address of the internet.
    Email,
    /// Postal address.
    Address,
    /// Account for payment: bank code and number.
    BankAccount,
    /// An uploaded file.
    File {
        /// Most bytes.
        max_bytes: u64,
        /// Media types taken.
        accept: Vec<String>,
    },
}

/// A page at one item of its group: what one screen of the form is about.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// The page.
    pub page: &'a Page,
    /// The item, for a page of a group.
    pub item: Option<String>,
}

impl Place<'_> {
    /// Its name in addresses: `contact`, or `work.p2`.
    pub fn address(&self) -> String {
        match &self.item {
            Some(item) => format!("{}.{item}", self.page.id),
            None => self.page.id.clone(),
        }
    }

    /// The key of one of its fields.
    pub fn key(&self, field: &Field) -> String {
        key(self.page.group.as_deref(), self.item.as_deref(), &field.id)
    }
}

/// The key of a field's answer.
pub(crate) fn key(group: Option<&str>, item: Option<&str>, field: &str) -> String {
    match (group, item) {
        (Some(group), Some(item)) => format!("{group}.{item}.{field}"),
        _ => field.to_owned(),
    }
}

impl Items {
    fn admits(self, item: &str) -> bool {
        match self {
            Self::All => true,
            Self::Applicant => item == APPLICANT,
            Self::Others => item != APPLICANT,
        }
    }
}

impl FieldKind {
    /// Its choices, if it has any.
    pub fn choices(&self) -> &[Choice] {
        match self {
            Self::Radios(choices) | Self::Select(choices) | Self::Checkboxes(choices) => choices,
            _ => &[],
        }
    }
}

impl Form {
    /// The group of this name.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }

    /// The group whose items are the persons of the rules.
    pub fn person_group(&self) -> Option<&Group> {
        self.groups.iter().find(|group| group.persons)
    }

    /// All pages at all items, in order, whether shown or not.
    pub fn all_places(&self, answers: &Answers) -> Vec<Place<'_>> {
        let mut places = Vec::new();
        for page in &self.pages {
            let Some(group) = &page.group else {
                places.push(Place { page, item: None });
                continue;
            };
            let items = answers.items(group);
            places.extend(items.iter().filter(|item| page.items.admits(item)).map(|item| Place {
                page,
                item: Some(item.clone()),
            }));
        }
        places
    }

    /// The pages that the answers so far call for, in order.
    pub fn places(&self, answers: &Answers) -> Vec<Place<'_>> {
        self.all_places(answers)
            .into_iter()
            .filter(|place| self.is_shown(place, place.page.when.as_ref(), answers))
            .collect()
    }

    /// The page at an address such as `contact` or `work.p2`, if the answers so far call for it.
    pub fn place(&self, address: &str, answers: &Answers) -> Option<Place<'_>> {
        self.places(answers)
            .into_iter()
            .find(|place| place.address() == address)
    }

    /// The fields of a page that the answers so far call for.
    pub fn fields<'a>(&self, place: &Place<'a>, answers: &Answers) -> Vec<&'a Field> {
        place
            .page
            .fields
            .iter()
            .filter(|field| self.is_shown(place, field.when.as_ref(), answers))
            .collect()
    }

    /// The keys of all fields that the answers so far call for.
    #[must_use]
    pub fn shown_keys(&self, answers: &Answers) -> Vec<String> {
        let places = self.places(answers);
        let keys = places.iter().flat_map(|place| {
            let fields = self.fields(place, answers);
            fields.into_iter().map(|field| place.key(field)).collect::<Vec<_>>()
        });
        keys.collect()
    }

    /// The field of a key, with the page it stands on.
    pub fn field(&self, key: &str) -> Option<(&Page, &Field)> {
        let parts: Vec<&str> = key.split('.').collect();
        let (group, id) = match parts.as_slice() {
            [id] => (None, *id),
            [group, _, id] => (Some(*group), *id),
            _ => return None,
        };
        let pages = self.pages.iter().filter(|page| page.group.as_deref() == group);
        pages
            .flat_map(|page| page.fields.iter().map(move |field| (page, field)))
            .find(|(_, field)| field.id == id)
    }

    /// The field that fills an input of the rules.
    pub fn field_of_input(&self, entity: Entity, name: &str) -> Option<(&Page, &Field)> {
        let all = self
            .pages
            .iter()
            .flat_map(|page| page.fields.iter().map(move |field| (page, field)));
        let mut all = all.filter(|(_, field)| {
            field
                .input
                .as_ref()
                .is_some_and(|input| input.entity == entity && input.name == name)
        });
        all.next()
    }

    /// What people call an item: its label field, or the group's word with its number.
    pub fn item_name(&self, group: &str, item: &str, answers: &Answers, language: Language) -> String {
        let Some(group) = self.group(group) else {
            return item.to_owned();
        };
        let named = group
            .label
            .as_ref()
            .and_then(|label| answers.value(&key(Some(&group.id), Some(item), label)));
        match named.and_then(Value::as_str) {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => format!("{} {}", group.item.get(language), item.trim_start_matches('p')),
        }
    }

    fn is_shown(&self, place: &Place<'_>, when: Option<&Condition>, answers: &Answers) -> bool {
        let Some(condition) = when else { return true };
        let lookup = |name: &str| {
            if name == "is_applicant" {
                return Some(Value::Bool(place.item.as_deref().is_none_or(|item| item == APPLICANT)));
            }
            let own = key(place.page.group.as_deref(), place.item.as_deref(), name);
            answers.value(&own).or_else(|| answers.value(name)).cloned()
        };
        condition.holds(&lookup) == Some(true)
    }
}
