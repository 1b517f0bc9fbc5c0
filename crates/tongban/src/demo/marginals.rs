//! The figures the city is made by: `marginals.toml`, `names.toml` and `villages.csv`, compiled in.

use std::sync::LazyLock;

use serde::Deserialize;

use super::CityError;
use super::draw::Quantiles;

/// All of it, read once.
pub(super) struct Figures {
    pub marginals: Marginals,
    pub names: Names,
    pub villages: Vec<Village>,
}

static FIGURES: LazyLock<Result<Figures, String>> = LazyLock::new(|| {
    let marginals: Marginals =
        toml::from_str(include_str!("marginals.toml")).map_err(|error| format!("marginals.toml: {error}"))?;
    let names: Names = toml::from_str(include_str!("names.toml")).map_err(|error| format!("names.toml: {error}"))?;
    Ok(Figures {
        marginals,
        names,
        villages: villages(include_str!("villages.csv")),
    })
});

/// The figures.
pub(super) fn figures() -> Result<&'static Figures, CityError> {
    FIGURES.as_ref().map_err(|problem| CityError::Figures(problem.clone()))
}

/// A village (里) of the city.
pub(super) struct Village {
    pub district: &'static str,
    pub name: &'static str,
    /// Residents of this and all villages before it.
    pub up_to: u64,
}

fn villages(text: &'static str) -> Vec<Village> {
    let mut up_to = 0;
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines
        .filter_map(|line| {
            let mut cells = line.split(',');
            let (district, name, residents) = (cells.next()?, cells.next()?, cells.next()?.parse::<u64>().ok()?);
            up_to += residents;
            Some(Village { district, name, up_to })
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Names {
    /// Surname and its weight.
    pub surnames: Vec<(char, u64)>,
    pub older: Characters,
    pub middle: Characters,
    pub younger: Characters,
    pub roads: Vec<String>,
}

/// Characters of given names, first and second, of women and men.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Characters {
    #[serde(deserialize_with = "characters")]
    pub women_first: Vec<char>,
    #[serde(deserialize_with = "characters")]
    pub women_second: Vec<char>,
    #[serde(deserialize_with = "characters")]
    pub men_first: Vec<char>,
    #[serde(deserialize_with = "characters")]
    pub men_second: Vec<char>,
}

fn characters<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<char>, D::Error> {
    Ok(String::deserialize(from)?.chars().collect())
}

#[derive(Deserialize)]
pub(super) struct Marginals {
    pub families: Families,
    pub age: Age,
    pub children_of: ChildrenOf,
    pub living: Living,
    pub disability: DisabilityShares,
    pub work: Work,
    pub wages: Wages,
    pub pensions: Pensions,
    pub savings: Savings,
    pub property: Property,
    pub welfare: Welfare,
    pub exclusions: Exclusions,
    pub register: Register,
}

#[derive(Deserialize)]
pub(super) struct Families {
    pub weights: Vec<(Kind, u64)>,
}

/// What a family is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    ElderAlone,
    ElderCouple,
    EldersAndUnmarried,
    EldersAndMarried,
    Nuclear,
    Couple,
    Single,
    SingleParent,
    Grandparents,
}

#[derive(Deserialize)]
pub(super) struct Age {
    /// Thousandths of all residents of 65 and over; what the tests hold the city to.
    #[cfg_attr(not(test), expect(dead_code, reason = "the city is fitted to it, the tests compare"))]
    pub elderly: i64,
    /// Thousandths under 15.
    #[cfg_attr(not(test), expect(dead_code, reason = "the city is fitted to it, the tests compare"))]
    pub children: i64,
    pub elder: Quantiles,
    pub adult: Quantiles,
    pub mother: Quantiles,
    pub generation: Quantiles,
    pub couple: Quantiles,
}

#[derive(Deserialize)]
pub(super) struct ChildrenOf {
    pub nuclear: [u64; 3],
    pub elders: [u64; 3],
    pub single_parent: [u64; 3],
}

#[derive(Deserialize)]
pub(super) struct Living {
    pub child_together: u64,
    pub child_in_registration: u64,
    pub away_from_registration: u64,
    pub abroad: u64,
    pub in_public_care: u64,
    pub in_custody: u64,
}

#[derive(Deserialize)]
pub(super) struct DisabilityShares {
    pub under_15: u64,
    pub adults: u64,
    pub elderly: u64,
    pub degrees: [u64; 4],
}

#[derive(Deserialize)]
pub(super) struct Work {
    /// Up to this age, so many thousandths are at work.
    pub participation: Vec<(i16, u64)>,
    pub students_under_20: u64,
    pub students_under_26: u64,
    pub carer: u64,
    pub illness: u64,
    pub disabled_unable: u64,
    pub registered_unemployed: u64,
    pub in_training: u64,
    pub three_failed_placements: u64,
}

#[derive(Deserialize)]
pub(super) struct Wages {
    pub quantiles: Quantiles,
    pub unrecorded: u64,
    pub occupation: Quantiles,
}

#[derive(Deserialize)]
pub(super) struct Pensions {
    pub none: u64,
    pub national: u64,
    pub labour: u64,
    pub national_amount: Quantiles,
    pub labour_amount: Quantiles,
    pub civil_amount: Quantiles,
}

#[derive(Deserialize)]
pub(super) struct Savings {
    pub adults: Quantiles,
    pub interest_rate: Quantiles,
    pub reported: u64,
    pub investors: u64,
    pub investments: Quantiles,
    pub dividend_rate: i64,
}

#[derive(Deserialize)]
pub(super) struct Property {
    pub owners: u64,
    pub land: Quantiles,
    pub house: Quantiles,
    pub land_left_out: u64,
    pub left_out_share: Quantiles,
    pub landlords: u64,
    pub rent: Quantiles,
    pub value_rose: u64,
}

#[derive(Deserialize)]
pub(super) struct Welfare {
    pub poor_listed_low: u64,
    pub poor_listed_middle_low: u64,
    pub poor_income_per_head: i64,
    pub poor_property: i64,
    pub farmer: u64,
    pub basic_pension_old_age: u64,
    pub basic_pension_disability: u64,
    pub disability_living: u64,
    pub gives_up: u64,
    pub other_aid: u64,
    pub aid: Quantiles,
}

#[derive(Deserialize)]
pub(super) struct Exclusions {
    pub married_without_means: u64,
    pub hardship_assessed: u64,
    pub in_custody: u64,
    pub missing: u64,
    pub military_men_19_to_22: u64,
    pub foreign_spouse: u64,
    pub claims_as_dependant: u64,
}

/// What the household registration and the house tax records add.
#[derive(Deserialize)]
pub(super) struct Register {
    pub since_birth: u64,
    pub days_since_move: Quantiles,
    pub indigenous: u64,
    /// Up to this age, so many thousandths died in the last month.
    pub deaths: Vec<(i16, u64)>,
    /// Weights of owning none, one, two or three houses beside the one lived in.
    pub further_houses: [u64; 4],
    /// Share in ten-thousandths, and its weight.
    pub shares: Vec<(i64, u64)>,
    pub lived_in: u64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::figures;

    #[test]
    fn every_table_rises_from_nothing_to_all() {
        let all = &figures().unwrap().marginals;
        let tables = [
            &all.age.elder,
            &all.age.adult,
            &all.age.mother,
            &all.age.generation,
            &all.age.couple,
            &all.wages.quantiles,
            &all.wages.occupation,
            &all.pensions.national_amount,
            &all.pensions.labour_amount,
            &all.pensions.civil_amount,
            &all.savings.adults,
            &all.savings.interest_rate,
            &all.savings.investments,
            &all.property.land,
            &all.property.house,
            &all.property.left_out_share,
            &all.property.rent,
            &all.welfare.aid,
            &all.register.days_since_move,
        ];
        assert!(tables.into_iter().all(super::Quantiles::is_sound));
    }

    #[test]
    fn villages_and_names_are_there() {
        let figures = figures().unwrap();
        assert!(figures.villages.len() > 600);
        assert!(figures.names.surnames.len() >= 60);
        assert!(figures.villages.windows(2).all(|pair| pair[0].up_to < pair[1].up_to));
    }
}
