//! What is true of a resident beyond who they are: work, income, savings, property, health and welfare.

use super::draw::Draw;
use super::family::{Family, Person, Role};
use super::identity::Home;
use super::marginals::Figures;

/// The facts of one resident; amounts in NT dollars, incomes of a year.
pub(super) struct Facts {
    pub disability: &'static str,
    pub student: bool,
    pub work_obstacle: &'static str,
    pub work_status: &'static str,
    /// A month's wage of the occupation, where the tax record shows none.
    pub occupation_wage: i64,
    pub work_income: i64,
    pub interest: i64,
    pub dividends: i64,
    pub rent: i64,
    pub other_income: i64,
    pub deposits: i64,
    /// Whether the register knows the deposits.
    pub deposits_reported: bool,
    pub investments: i64,
    pub land: i64,
    pub land_not_counted: i64,
    pub house: i64,
    pub exclusion: &'static str,
    pub claims_as_dependant: bool,
    pub lives_at_registration: bool,
    pub days_in_country: i64,
    pub in_public_care: bool,
    pub in_custody: bool,
}

impl Facts {
    /// Income from everything but property that only the law imputes.
    pub fn income(&self) -> i64 {
        self.work_income + self.interest + self.dividends + self.rent + self.other_income
    }

    /// Land and houses.
    pub fn immovable(&self) -> i64 {
        self.land + self.house
    }

    /// Deposits and investments.
    pub fn movable(&self) -> i64 {
        self.deposits + self.investments
    }
}

/// Draws the facts of one resident that don't depend on the others.
pub(super) fn person(
    figures: &Figures,
    age: i16,
    woman: bool,
    role: Role,
    together: bool,
    registered: bool,
    draw: &mut Draw,
) -> Facts {
    let marginals = &figures.marginals;
    let disability = disability(figures, age, draw);
    let student = match age {
        6..16 => true,
        16..20 => draw.chance(marginals.work.students_under_20),
        20..26 => draw.chance(marginals.work.students_under_26),
        _ => false,
    };
    let working = work(figures, age, student, disability != "none", draw);
    let (deposits, interest, reported) = if age >= 20 {
        let deposits = draw.value(&marginals.savings.adults);
        (
            deposits,
            deposits * draw.value(&marginals.savings.interest_rate) / 10_000,
            draw.chance(marginals.savings.reported),
        )
    } else {
        (0, 0, true)
    };
    let investments = if age >= 20 && draw.chance(marginals.savings.investors) {
        draw.value(&marginals.savings.investments)
    } else {
        0
    };
    let away = draw.chance(marginals.living.away_from_registration);
    let days = if draw.chance(marginals.living.abroad) {
        draw.below(300)
    } else {
        340 + draw.below(26)
    };
    Facts {
        disability,
        student,
        work_obstacle: working.obstacle,
        work_status: working.status,
        occupation_wage: working.occupation_wage,
        work_income: working.income,
        interest,
        dividends: investments * marginals.savings.dividend_rate / 1000,
        rent: 0,
        other_income: if age >= 65 { pension(figures, draw) } else { 0 },
        deposits,
        deposits_reported: reported,
        investments,
        land: 0,
        land_not_counted: 0,
        house: 0,
        exclusion: exclusion(figures, age, woman, role, together, draw),
        claims_as_dependant: matches!(role, Role::ChildSpouse(_))
            && registered
            && draw.chance(marginals.exclusions.claims_as_dependant),
        lives_at_registration: !away,
        days_in_country: i64::try_from(days).unwrap_or(365),
        in_public_care: age >= 65 && draw.chance(marginals.living.in_public_care),
        in_custody: age >= 18 && draw.chance(marginals.living.in_custody),
    }
}

fn disability(figures: &Figures, age: i16, draw: &mut Draw) -> &'static str {
    let shares = &figures.marginals.disability;
    let share = match age {
        ..15 => shares.under_15,
        15..65 => shares.adults,
        _ => shares.elderly,
    };
    if !draw.chance(share) {
        return "none";
    }
    let degree = draw.weighted(shares.degrees.into_iter());
    ["mild", "moderate", "severe", "profound"]
        .get(degree)
        .copied()
        .unwrap_or("mild")
}

struct Working {
    obstacle: &'static str,
    status: &'static str,
    occupation_wage: i64,
    income: i64,
}

fn work(figures: &Figures, age: i16, student: bool, disabled: bool, draw: &mut Draw) -> Working {
    let (work, wages) = (&figures.marginals.work, &figures.marginals.wages);
    let idle = |obstacle, status| Working {
        obstacle,
        status,
        occupation_wage: 0,
        income: 0,
    };
    if age < 16 {
        return idle("none", "not_working");
    }
    let share = work
        .participation
        .iter()
        .find(|(up_to, _)| age <= *up_to)
        .map_or(0, |(_, share)| *share);
    let share = if disabled { share / 4 } else { share };
    if !student && draw.chance(share) {
        if draw.chance(wages.unrecorded) {
            return Working {
                obstacle: "none",
                status: "employed",
                occupation_wage: draw.value(&wages.occupation),
                income: 0,
            };
        }
        return Working {
            obstacle: "none",
            status: "employed",
            occupation_wage: 0,
            income: draw.value(&wages.quantiles),
        };
    }
    if disabled && draw.chance(work.disabled_unable) {
        return idle("disability", "not_working");
    }
    match draw.below(1000) {
        at if at < work.carer => return idle("carer", "not_working"),
        at if at < work.carer + work.illness => return idle("illness", "not_working"),
        _ => {}
    }
    let at = draw.below(1000);
    let failed = if age >= 55 { work.three_failed_placements } else { 0 };
    let status = if at < work.registered_unemployed {
        "registered_unemployed"
    } else if at < work.registered_unemployed + work.in_training {
        "in_training"
    } else if at < work.registered_unemployed + work.in_training + failed {
        "three_failed_placements"
    } else {
        "not_working"
    };
    idle("none", status)
}

fn pension(figures: &Figures, draw: &mut Draw) -> i64 {
    let pensions = &figures.marginals.pensions;
    let at = draw.below(1000);
    let (national, labour) = (
        pensions.none + pensions.national,
        pensions.none + pensions.national + pensions.labour,
    );
    if at < pensions.none {
        0
    } else if at < national {
        draw.value(&pensions.national_amount)
    } else if at < labour {
        draw.value(&pensions.labour_amount)
    } else {
        draw.value(&pensions.civil_amount)
    }
}

fn exclusion(figures: &Figures, age: i16, woman: bool, role: Role, together: bool, draw: &mut Draw) -> &'static str {
    let shares = &figures.marginals.exclusions;
    let (rare, child, man, spouse) = (draw.below(1000), draw.below(1000), draw.below(1000), draw.below(1000));
    match role {
        Role::Head => "none",
        _ if rare < shares.in_custody && age >= 18 => "in_custody",
        _ if rare < shares.in_custody + shares.missing && age >= 18 => "missing",
        Role::Child(_) | Role::Grandchild(_)
            if !woman && (19..=22).contains(&age) && man < shares.military_men_19_to_22 =>
        {
            "military_service"
        }
        Role::Child(_) if age >= 24 && !together && child < shares.hardship_assessed => "hardship_assessed",
        Role::Child(_) if age >= 24 && !together && child < shares.hardship_assessed + shares.married_without_means => {
            "married_descendant_without_means"
        }
        Role::Spouse if woman && spouse < shares.foreign_spouse / 4 => "spouse_without_registration",
        _ => "none",
    }
}

/// Draws what the family has together, and puts it into the persons.
pub(super) fn family(figures: &Figures, persons: Vec<Person>, homes: Vec<Home>, draw: &mut Draw) -> Family {
    let marginals = &figures.marginals;
    let mut persons = persons;
    for person in &mut persons {
        // a child living apart owns less often than the head of a family, one living together seldom
        let share = match person.role {
            Role::Head => marginals.property.owners,
            Role::Child(_) if person.dwelling != 0 => marginals.property.owners / 2,
            Role::Spouse => marginals.property.owners / 5,
            _ => marginals.property.owners / 20,
        };
        if person.age >= 20 && draw.chance(share) {
            let facts = &mut person.facts;
            facts.land = draw.value(&marginals.property.land);
            facts.house = draw.value(&marginals.property.house);
            if draw.chance(marginals.property.land_left_out) {
                facts.land_not_counted = facts.land * draw.value(&marginals.property.left_out_share) / 1000;
            }
            if draw.chance(marginals.property.landlords) {
                facts.rent = draw.value(&marginals.property.rent);
            }
        }
        match person.facts.exclusion {
            "married_descendant_without_means" if !person.married => person.facts.exclusion = "none",
            "spouse_without_registration" => person.registered_with_head = false,
            _ => {}
        }
    }
    let lone_parent = persons.iter().filter(|one| one.age >= 20).count() == 1 && persons.iter().any(|one| one.age <= 6);
    if lone_parent {
        for person in persons
            .iter_mut()
            .filter(|one| one.age >= 20 && one.facts.work_status != "employed")
        {
            person.facts.work_obstacle = "lone_carer_of_child";
        }
    }
    let welfare = &marginals.welfare;
    let people = i64::try_from(persons.len()).unwrap_or(1).max(1);
    let poor = persons.iter().map(|one| one.facts.income()).sum::<i64>() < welfare.poor_income_per_head * people
        && persons
            .iter()
            .map(|one| one.facts.immovable() + one.facts.movable())
            .sum::<i64>()
            < welfare.poor_property;
    let at = draw.below(1000);
    let listed = match poor {
        true if at < welfare.poor_listed_low => "low",
        true if at < welfare.poor_listed_low + welfare.poor_listed_middle_low => "middle_low",
        _ => "none",
    };
    let elderly = persons.iter().any(|one| one.age >= 65);
    let at = if elderly { draw.below(1000) } else { 1000 };
    let steps = [
        (welfare.farmer, "farmer"),
        (welfare.basic_pension_old_age, "basic_pension_old_age"),
        (welfare.basic_pension_disability, "basic_pension_disability"),
        (welfare.disability_living, "disability_living"),
    ];
    let mut up_to = 0;
    let mut other_allowance = "none";
    for (share, name) in steps {
        up_to += share;
        if at < up_to {
            other_allowance = name;
            break;
        }
    }
    let gives_up_other = draw.chance(welfare.gives_up) && other_allowance != "none";
    let other_public_aid = if elderly && draw.chance(welfare.other_aid) {
        draw.value(&welfare.aid)
    } else {
        0
    };
    let value_rose = elderly && draw.chance(marginals.property.value_rose);
    Family {
        persons,
        homes,
        listed,
        value_rose,
        other_allowance,
        gives_up_other,
        other_public_aid,
    }
}
