//! One family of the city: who belongs to it, where they live, and what is true of each.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::draw::Draw;
use super::facts::{self, Facts};
use super::identity::{self, Home, Name};
use super::marginals::{Figures, Kind};

/// What somebody is in the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The eldest; an application of the family is made by this one.
    Head,
    /// Married to the head.
    Spouse,
    /// A child of the head, counted from 0.
    Child(u8),
    /// Married to that child.
    ChildSpouse(u8),
    /// A child of that child.
    Grandchild(u8),
}

/// A resident.
pub(super) struct Person {
    pub role: Role,
    pub woman: bool,
    pub age: i16,
    pub birth: Date,
    pub name: Name,
    /// Place of the dwelling in the family's homes; 0 is the head's.
    pub dwelling: usize,
    /// Whether in the head's household registration.
    pub registered_with_head: bool,
    /// Whether married.
    pub married: bool,
    pub facts: Facts,
}

/// A family: the persons whose income and property are looked at together.
pub(super) struct Family {
    pub persons: Vec<Person>,
    pub homes: Vec<Home>,
    /// `low`, `middle_low` or `none`.
    pub listed: &'static str,
    /// Received the allowance last year, and only the value of the land rose.
    pub value_rose: bool,
    pub other_allowance: &'static str,
    pub gives_up_other: bool,
    /// NT dollars a month.
    pub other_public_aid: i64,
}

/// Most persons of one family.
pub(super) const MOST: usize = 15;

/// Builds families.
pub(super) struct Builder<'a> {
    pub figures: &'a Figures,
    pub today: Date,
}

/// Somebody before the facts are drawn.
struct Member {
    role: Role,
    woman: bool,
    age: i16,
    dwelling: usize,
    registered: bool,
    married: bool,
}

impl Builder<'_> {
    /// The family of a stream, always the same one.
    pub fn family(&self, seed: u64, stream: u64) -> Family {
        let mut draw = Draw::new(seed, stream);
        let draw = &mut draw;
        let weights = &self.figures.marginals.families.weights;
        let kind = weights
            .get(draw.weighted(weights.iter().map(|(_, weight)| *weight)))
            .map_or(Kind::Single, |(kind, _)| *kind);
        let mut members = self.members(kind, draw);
        members.truncate(MOST);
        let dwellings = members.iter().map(|member| member.dwelling).max().unwrap_or(0) + 1;
        let homes = (0..dwellings).map(|_| identity::home(self.figures, draw)).collect();
        let persons = self.persons(members, draw);
        facts::family(self.figures, persons, homes, draw)
    }

    fn persons(&self, members: Vec<Member>, draw: &mut Draw) -> Vec<Person> {
        let family_name = identity::surname(self.figures, draw);
        let mut child_names: Vec<(u8, char)> = Vec::new();
        let mut persons = Vec::with_capacity(members.len());
        for member in members {
            let birth = self.birth(member.age, draw);
            let own = identity::surname(self.figures, draw);
            let surname = match member.role {
                Role::Head if member.woman && member.married => own,
                Role::Head | Role::Child(_) => family_name,
                Role::Spouse => {
                    if member.woman {
                        own
                    } else {
                        family_name
                    }
                }
                Role::ChildSpouse(child) => {
                    if !member.woman {
                        child_names.push((child, own));
                    }
                    own
                }
                Role::Grandchild(child) => child_names
                    .iter()
                    .find(|(of, _)| *of == child)
                    .map_or(family_name, |(_, name)| *name),
            };
            let name = identity::name(self.figures, surname, member.woman, birth.year(), draw);
            let facts = facts::person(
                self.figures,
                member.age,
                member.woman,
                member.role,
                member.dwelling == 0,
                member.registered,
                draw,
            );
            persons.push(Person {
                role: member.role,
                woman: member.woman,
                age: member.age,
                birth,
                name,
                dwelling: member.dwelling,
                registered_with_head: member.registered,
                married: member.married,
                facts,
            });
        }
        persons
    }

    /// A day of birth that makes somebody as old as this today.
    fn birth(&self, age: i16, draw: &mut Draw) -> Date {
        let year = self.today.year() - age;
        let birthday = Date::new(year, self.today.month(), self.today.day())
            .or_else(|_| Date::new(year, 2, 28))
            .unwrap_or(self.today);
        let earlier = i64::try_from(draw.below(365)).unwrap_or(0);
        birthday.saturating_sub(earlier.days())
    }

    fn years(&self, table: &super::draw::Quantiles, draw: &mut Draw) -> i16 {
        i16::try_from(draw.value(table)).unwrap_or(0)
    }

    fn members(&self, kind: Kind, draw: &mut Draw) -> Vec<Member> {
        let marginals = &self.figures.marginals;
        let age = &marginals.age;
        match kind {
            Kind::ElderAlone => {
                let years = self.years(&age.elder, draw);
                vec![head(
                    draw.chance(560 + u64::try_from(years.clamp(65, 95) - 65).unwrap_or(0) * 5),
                    years,
                    false,
                )]
            }
            Kind::ElderCouple => self.elders(1000, draw),
            Kind::EldersAndUnmarried => {
                let mut members = self.elders(550, draw);
                let children = count(marginals.children_of.elders, draw);
                for child in 0..children {
                    self.child(&mut members, child, false, draw);
                }
                members
            }
            Kind::EldersAndMarried => {
                let mut members = self.elders(550, draw);
                let children = count(marginals.children_of.elders, draw);
                for child in 0..children {
                    let married = child == 0 || draw.chance(500);
                    self.child(&mut members, child, married, draw);
                }
                members
            }
            Kind::Nuclear => {
                let mother = self.years(&age.mother, draw);
                let father = mother + self.years(&age.couple, draw);
                let mut members = pair(draw.chance(700), mother, father);
                for child in 0..count(marginals.children_of.nuclear, draw) {
                    let years = (mother - self.years(&age.generation, draw)).max(0);
                    members.push(own_child(child, draw.chance(480), years));
                }
                members
            }
            Kind::Couple => {
                let elder = self.years(&age.adult, draw).clamp(24, 64);
                let younger = (elder - self.years(&age.couple, draw)).max(20);
                pair(draw.chance(700), younger, elder)
            }
            Kind::Single => vec![head(draw.chance(460), self.years(&age.adult, draw).min(64), false)],
            Kind::SingleParent => {
                let parent = self.years(&age.mother, draw);
                let mut members = vec![head(draw.chance(750), parent, false)];
                for child in 0..count(marginals.children_of.single_parent, draw) {
                    let years = (parent - self.years(&age.generation, draw)).max(0);
                    members.push(own_child(child, draw.chance(480), years));
                }
                members
            }
            Kind::Grandparents => {
                let mut members = self.elders(600, draw);
                for _ in 0..=draw.below(2) {
                    let years = 5 + i16::try_from(draw.below(13)).unwrap_or(0);
                    members.push(Member {
                        role: Role::Grandchild(0),
                        woman: draw.chance(480),
                        age: years,
                        dwelling: 0,
                        registered: true,
                        married: false,
                    });
                }
                members
            }
        }
    }

    /// The eldest generation: a couple in so many of a thousand families, else one person.
    fn elders(&self, couples: u64, draw: &mut Draw) -> Vec<Member> {
        let age = &self.figures.marginals.age;
        let years = self.years(&age.elder, draw);
        if draw.chance(couples) {
            let wife = years - self.years(&age.couple, draw);
            pair(draw.chance(800), wife, years)
        } else {
            vec![head(draw.chance(720), years, false)]
        }
    }

    /// A grown child of elders, with the own family where married.
    fn child(&self, members: &mut Vec<Member>, child: u8, married: bool, draw: &mut Draw) {
        let marginals = &self.figures.marginals;
        let mother = members
            .iter()
            .filter(|one| matches!(one.role, Role::Head | Role::Spouse))
            .map(|one| one.age)
            .min()
            .unwrap_or(70);
        let years = (mother - self.years(&marginals.age.generation, draw)).max(18);
        if years >= 65 {
            // stands at the head of a family of their own
            return;
        }
        let woman = draw.chance(480);
        let together = draw.chance(marginals.living.child_together);
        let registered = together || draw.chance(marginals.living.child_in_registration / 4);
        let registered = registered && (!together || draw.chance(900));
        let dwelling = if together {
            0
        } else {
            members.iter().map(|one| one.dwelling).max().unwrap_or(0) + 1
        };
        let married = married && years >= 24;
        members.push(Member {
            role: Role::Child(child),
            woman,
            age: years,
            dwelling,
            registered,
            married,
        });
        if !married {
            return;
        }
        let gap = self.years(&marginals.age.couple, draw);
        let partner = (if woman { years + gap } else { years - gap }).clamp(20, 64);
        members.push(Member {
            role: Role::ChildSpouse(child),
            woman: !woman,
            age: partner,
            dwelling,
            registered,
            married: true,
        });
        let parent = if woman { years } else { partner };
        for _ in 0..count(marginals.children_of.nuclear, draw) {
            let years = parent - self.years(&marginals.age.generation, draw);
            if years >= 0 {
                members.push(Member {
                    role: Role::Grandchild(child),
                    woman: draw.chance(480),
                    age: years,
                    dwelling,
                    registered,
                    married: false,
                });
            }
        }
    }
}

fn head(woman: bool, age: i16, married: bool) -> Member {
    Member {
        role: Role::Head,
        woman,
        age,
        dwelling: 0,
        registered: true,
        married,
    }
}

/// A couple; the husband is the head or the wife is.
fn pair(husband_is_head: bool, wife: i16, husband: i16) -> Vec<Member> {
    let (first, second) = if husband_is_head {
        ((false, husband), (true, wife))
    } else {
        ((true, wife), (false, husband))
    };
    let spouse = Member {
        role: Role::Spouse,
        woman: second.0,
        age: second.1,
        dwelling: 0,
        registered: true,
        married: true,
    };
    vec![head(first.0, first.1, true), spouse]
}

fn own_child(child: u8, woman: bool, age: i16) -> Member {
    Member {
        role: Role::Child(child),
        woman,
        age,
        dwelling: 0,
        registered: true,
        married: false,
    }
}

/// One, two or three by their thousandths.
fn count(shares: [u64; 3], draw: &mut Draw) -> u8 {
    u8::try_from(draw.weighted(shares.into_iter()) + 1).unwrap_or(1)
}

impl Family {
    /// What `other` is to `person`, in the words of the rules. Women and men are told apart by the caller.
    pub fn relation(&self, person: &Person, other: &Person) -> Relation {
        use Role::{Child, ChildSpouse, Grandchild, Head, Spouse};
        if std::ptr::eq(person, other) {
            return Relation::Own;
        }
        match (person.role, other.role) {
            (Head, Spouse) | (Spouse, Head) => Relation::Spouse,
            (Child(a), ChildSpouse(b)) | (ChildSpouse(a), Child(b)) if a == b => Relation::Spouse,
            (Head | Spouse, Child(_)) => Relation::Child,
            (Child(a) | ChildSpouse(a), Grandchild(b)) if a == b => Relation::Child,
            (Child(_), Head | Spouse) => Relation::Parent,
            (Grandchild(a), Child(b) | ChildSpouse(b)) if a == b => Relation::Parent,
            (Head | Spouse, Grandchild(_)) => Relation::Grandchild,
            (Grandchild(_), Head | Spouse) => Relation::Grandparent,
            _ => Relation::Other,
        }
    }
}

/// What one person is to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Own,
    Spouse,
    Parent,
    Child,
    Grandchild,
    Grandparent,
    Other,
}

impl Relation {
    /// The value of the rules' input `relation`.
    pub fn code(self) -> &'static str {
        match self {
            Relation::Own => "self",
            Relation::Spouse => "spouse",
            Relation::Parent => "parent",
            Relation::Child => "child",
            Relation::Grandchild | Relation::Grandparent => "other_lineal",
            Relation::Other => "other",
        }
    }

    /// The register's word.
    pub fn word(self, woman: bool) -> &'static str {
        match (self, woman) {
            (Relation::Own, _) => "本人",
            (Relation::Spouse, _) => "配偶",
            (Relation::Parent, false) => "父",
            (Relation::Parent, true) => "母",
            (Relation::Child, false) => "子",
            (Relation::Child, true) => "女",
            (Relation::Grandchild, false) => "孫",
            (Relation::Grandchild, true) => "孫女",
            (Relation::Grandparent, false) => "祖父",
            (Relation::Grandparent, true) => "祖母",
            (Relation::Other, _) => "其他",
        }
    }
}
