//! The residents offered for sign-in: each shows another way that an application can go.

use civic::Language;
use civic::Text;
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::family::{Family, Role};

/// What a demonstration resident shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// Clearly entitled to the full amount.
    Full,
    /// Entitled to the smaller amount.
    Half,
    /// The income is above the line.
    Income,
    /// Deposits and investments are above the limit.
    Property,
    /// A grown child without income: the form has to ask.
    Open,
    /// Not yet 65.
    SixtyFour,
    /// Listed low income: no means test.
    Listed,
    /// The tax centre has no income data: the form has to ask for it.
    MissingSet,
}

impl Story {
    /// All, in the order in which they are offered.
    pub const ALL: [Story; 8] = [
        Story::Full,
        Story::Half,
        Story::Open,
        Story::Listed,
        Story::Income,
        Story::Property,
        Story::SixtyFour,
        Story::MissingSet,
    ];
    /// Families tried for each; many more than are ever needed.
    pub(super) const TRIES: u32 = 500_000;

    /// The stream of a try, apart from those of the other families.
    pub(super) fn stream(self, one: u32) -> u64 {
        let place = Story::ALL.iter().position(|story| *story == self).unwrap_or(0);
        (1 << 62) | (u64::try_from(place).unwrap_or(0) << 32) | u64::from(one)
    }

    /// A word for it, used in mail addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Story::Full => "full",
            Story::Half => "half",
            Story::Income => "income",
            Story::Property => "property",
            Story::Open => "open",
            Story::SixtyFour => "sixty-four",
            Story::Listed => "listed",
            Story::MissingSet => "missing",
        }
    }

    /// What it shows, for the page that offers the accounts.
    #[must_use]
    pub fn note(self) -> Text {
        let (chinese, english) = match self {
            Story::Full => (
                "收入和財產都很少：可領全額",
                "Little income and property: the full amount",
            ),
            Story::Half => ("收入中等：可領半額", "Middling income: the smaller amount"),
            Story::Income => (
                "夫妻年金較高：收入超過上限，無法發給",
                "A couple on good pensions: refused, the income is above the line",
            ),
            Story::Property => (
                "存款和投資較多：動產超過上限，無法發給",
                "Large savings: refused, the movable property is above the limit",
            ),
            Story::Open => (
                "同住的成年子女沒有收入：系統會多問幾題",
                "A grown child without income lives there too: the form asks about it",
            ),
            Story::SixtyFour => ("快要滿 65 歲：還不能申請", "Soon 65: refused for now"),
            Story::Listed => (
                "列冊低收入戶：不必審查收入和財產，可領全額",
                "Listed low income: no look at income and property, the full amount",
            ),
            Story::MissingSet => (
                "財稅資料查無所得：收入要自己填",
                "No income data arrives: the form asks for the income",
            ),
        };
        Text::from_iter([(Language::ZhTw, chinese.to_owned()), (Language::En, english.to_owned())])
    }

    /// Whether a family shows it clearly, well away from every line.
    pub(super) fn fits(self, family: &Family, today: Date) -> bool {
        let Some(head) = family.persons.first() else {
            return false;
        };
        let facts = &head.facts;
        let persons = family.persons.len();
        let plain = facts.lives_at_registration
            && facts.days_in_country > 250
            && !facts.in_public_care
            && !facts.in_custody
            && family.other_allowance == "none"
            && family.other_public_aid == 0
            && family
                .persons
                .iter()
                .all(|one| one.facts.exclusion == "none" && one.facts.land_not_counted == 0);
        if !plain || (family.listed == "low") != (self == Story::Listed) || family.listed == "middle_low" {
            return false;
        }
        let income: i64 = family.persons.iter().map(|one| one.facts.income()).sum();
        let movable: i64 = family.persons.iter().map(|one| one.facts.movable()).sum();
        let immovable: i64 = family.persons.iter().map(|one| one.facts.immovable()).sum();
        let alone = persons == 1 && (66..90).contains(&head.age);
        let modest = movable < 1_500_000 && immovable < 5_000_000;
        match self {
            Story::Full => alone && head.woman && (20_000..200_000).contains(&income) && modest && immovable > 500_000,
            Story::Half => alone && (330_000..420_000).contains(&income) && modest,
            Story::Income => {
                let elders = family.persons.iter().all(|one| one.age >= 66);
                persons == 2 && elders && income > 1_150_000 && movable < 2_000_000 && immovable < 5_000_000
            }
            Story::Property => {
                alone && income < 220_000 && facts.deposits_reported && movable > 4_000_000 && immovable < 5_000_000
            }
            Story::Open => {
                let child = family.persons.get(1).is_some_and(|child| {
                    let idle = child.facts.work_status == "not_working" && child.facts.income() < 5_000;
                    matches!(child.role, Role::Child(_))
                        && !child.married
                        && child.dwelling == 0
                        && (28..60).contains(&child.age)
                        && idle
                });
                persons == 2 && (66..90).contains(&head.age) && child && income < 150_000 && modest
            }
            Story::SixtyFour => {
                let soon = head
                    .birth
                    .checked_add(65.years())
                    .is_ok_and(|day| day > today.saturating_add(20.days()) && day < today.saturating_add(120.days()));
                persons == 1 && head.age == 64 && soon && income < 200_000 && modest
            }
            Story::Listed => (66..90).contains(&head.age) && persons <= 2,
            Story::MissingSet => alone && (60_000..220_000).contains(&income) && modest,
        }
    }
}
