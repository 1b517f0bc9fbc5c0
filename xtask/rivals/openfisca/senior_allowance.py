"""The rules of services/senior-allowance for OpenFisca, variable by variable.

The steps carry the names they have in rules.toml. OpenFisca knows no NULL: the population of the bench leaves nothing
open but deposits that were not reported, for which the variable `deposits_reported` stands. Amounts that exceed 32 bits
on their way are widened inside the formula; no stored value does.

Parameters are read from the very files of the service folder, so that both sides decide by the same figures.
"""

import csv
import datetime
from pathlib import Path

import numpy
from openfisca_core.entities import build_entity
from openfisca_core.indexed_enums import Enum
from openfisca_core.parameters import ParameterNode
from openfisca_core.periods import DateUnit
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

Person = build_entity(key="person", plural="persons", label="Person", is_person=True)
Household = build_entity(
    key="household",
    plural="households",
    label="Household",
    roles=[{"key": "member", "plural": "members", "label": "Member"}],
)


def enum(name, *values):
    return Enum(name, {value: value for value in values})


Region = enum(
    "Region", "taipei", "new_taipei", "taoyuan", "taichung", "tainan", "kaohsiung", "taiwan_province", "fujian_province"
)
Listed = enum("Listed", "none", "low", "middle_low")
Relation = enum("Relation", "other", "self", "spouse", "parent", "child", "other_lineal")
Exclusion = enum(
    "Exclusion",
    "none",
    "spouse_without_registration",
    "ascendant_of_special_family",
    "married_descendant_without_means",
    "parent_without_custody",
    "military_service",
    "publicly_funded_student",
    "in_custody",
    "missing",
    "hardship_assessed",
)
Disability = enum("Disability", "none", "mild", "moderate", "severe", "profound")
Obstacle = enum(
    "Obstacle", "none", "disability", "illness", "carer", "lone_carer_of_child", "pregnancy", "guardianship"
)
Work = enum("Work", "not_working", "employed", "registered_unemployed", "three_failed_placements", "in_training")
OtherAllowance = enum(
    "OtherAllowance", "none", "farmer", "basic_pension_old_age", "basic_pension_disability", "disability_living"
)

# Inputs: name of the variable → entity and type. Those of the application stand with the person who would make it.
INPUTS = {
    "region": (Household, Region),
    "listed_status": (Household, Listed),
    "land_value_relief": (Household, bool),
    "other_allowance": (Person, OtherAllowance),
    "gives_up_other": (Person, bool),
    "other_public_aid": (Person, int),
    "relation": (Person, Relation),
    "birth_date": (Person, datetime.date),
    "same_registration": (Person, bool),
    "lives_together": (Person, bool),
    "claims_as_dependant": (Person, bool),
    "exclusion": (Person, Exclusion),
    "lives_at_registration": (Person, bool),
    "days_in_country": (Person, int),
    "in_public_care": (Person, bool),
    "in_custody": (Person, bool),
    "disability": (Person, Disability),
    "student": (Person, bool),
    "work_obstacle": (Person, Obstacle),
    "work_status": (Person, Work),
    "occupation_wage": (Person, int),
    "work_income": (Person, int),
    "interest_income": (Person, int),
    "dividend_income": (Person, int),
    "rent_income": (Person, int),
    "other_income": (Person, int),
    "deposits": (Person, int),
    "deposits_reported": (Person, bool),
    "investments": (Person, int),
    "land_value": (Person, int),
    "land_not_counted": (Person, int),
    "house_value": (Person, int),
}

STEPS = []


def step(entity, value_type):
    """Makes a variable of a month from a formula; its name is the formula's."""

    def make(formula):
        body = {"value_type": value_type, "entity": entity, "definition_period": DateUnit.MONTH, "formula": formula}
        STEPS.append(type(formula.__name__, (Variable,), body))
        return formula

    return make


def input_variable(name, entity, value_type):
    body = {"value_type": value_type, "entity": entity, "definition_period": DateUnit.MONTH}
    if isinstance(value_type, type) and issubclass(value_type, Enum):
        body |= {"value_type": Enum, "possible_values": value_type, "default_value": list(value_type)[0]}
    return type(name, (Variable,), body)


# ---------------------------------------------------------------- each person


@step(Person, int)
def age(person, period):
    birth = person("birth_date", period)
    day = numpy.datetime64(str(period.start))
    birth_month = birth.astype("datetime64[M]")
    birthday = (birth_month.astype(int) % 12) * 32 + (birth - birth_month).astype(int)
    month = day.astype("datetime64[M]")
    today = (int(month.astype(int)) % 12) * 32 + int((day - month).astype(int))
    years = int(day.astype("datetime64[Y]").astype(int)) - birth.astype("datetime64[Y]").astype(int)
    return years - (birthday > today)


@step(Person, bool)
def is_elder(person, period):
    return person("age", period) >= 65


@step(Person, bool)
def is_in_country(person, period):
    return person("days_in_country", period) > 183


@step(Person, bool)
def is_counted_relative(person, period):
    relation = person("relation", period)
    return (
        (relation == Relation["self"])
        | (relation == Relation.spouse)
        | (relation == Relation.parent)
        | (relation == Relation.child)
        | (
            (relation == Relation.other_lineal)
            & (person("same_registration", period) | person("lives_together", period))
        )
        | person("claims_as_dependant", period)
    )


@step(Person, bool)
def is_excluded(person, period):
    exclusion = person("exclusion", period)
    of_those_apart = (
        (exclusion == Exclusion.ascendant_of_special_family)
        | (exclusion == Exclusion.married_descendant_without_means)
        | (exclusion == Exclusion.parent_without_custody)
    )
    always = (
        (exclusion == Exclusion.military_service)
        | (exclusion == Exclusion.publicly_funded_student)
        | (exclusion == Exclusion.in_custody)
        | (exclusion == Exclusion.missing)
        | (exclusion == Exclusion.hardship_assessed)
    )
    spouse = (exclusion == Exclusion.spouse_without_registration) & (person("relation", period) == Relation.spouse)
    return spouse | (of_those_apart & ~person("lives_together", period)) | always


@step(Person, bool)
def counted(person, period):
    itself = person("relation", period) == Relation["self"]
    return itself | (person("is_counted_relative", period) & ~person("is_excluded", period))


@step(Person, bool)
def able_to_work(person, period):
    age = person("age", period)
    student = person("student", period) & (age <= 25)
    return (age >= 16) & (age < 65) & ~student & (person("work_obstacle", period) == Obstacle.none)


@step(Person, int)
def wage_share(person, period):
    age = person("age", period)
    disabled = person("disability", period) != Disability.none
    return numpy.where(disabled, 55, numpy.where((age < 20) | (age >= 60), 70, 100))


@step(Person, int)
def basic_wage_of_year(person, period, parameters):
    return parameters(period).basic_wage * 12 * person("wage_share", period) // 100


@step(Person, int)
def work_income_counted(person, period):
    income = person("work_income", period)
    status = person("work_status", period)
    employed = status == Work.employed
    imputed = person("occupation_wage", period) * 12 * person("wage_share", period) // 100
    unplaced = (status == Work.three_failed_placements) & (person("age", period) >= 55)
    return numpy.select(
        [
            ~person("able_to_work", period),
            (income > 0) & employed,
            employed,
            (status == Work.registered_unemployed) | (status == Work.in_training) | unplaced,
        ],
        [income, income, imputed, 0],
        person("basic_wage_of_year", period),
    )


@step(Person, int)
def carer_wage(person, period):
    age = person("age", period)
    exempt = (
        ~person("counted", period)
        | (person("work_obstacle", period) != Obstacle.carer)
        | (age < 16)
        | (age >= 65)
        | (person("student", period) & (age <= 25))
        | (person("work_income", period) > 0)
    )
    return numpy.where(exempt, 0, person("basic_wage_of_year", period))


@step(Person, int)
def property_income(person, period):
    return person("interest_income", period) + person("dividend_income", period) + person("rent_income", period)


@step(Person, int)
def income(person, period):
    return person("work_income_counted", period) + person("property_income", period) + person("other_income", period)


@step(Person, int)
def income_counted(person, period):
    return numpy.where(person("counted", period), person("income", period), 0)


@step(Person, int)
def deposits_counted(person, period, parameters):
    inferred = person("interest_income", period).astype(numpy.int64) * 10000 // parameters(period).deposit_rate
    return numpy.where(person("deposits_reported", period), person("deposits", period), inferred)


@step(Person, int)
def movable_counted(person, period):
    return numpy.where(
        person("counted", period), person("deposits_counted", period) + person("investments", period), 0
    )


@step(Person, int)
def land_counted(person, period):
    return numpy.maximum(person("land_value", period) - person("land_not_counted", period), 0)


@step(Person, int)
def immovable_counted(person, period):
    return numpy.where(person("counted", period), person("land_counted", period) + person("house_value", period), 0)


# ---------------------------------------------------------------- the family


@step(Household, int)
def counted_members(household, period):
    return household.sum(household.members("counted", period))


@step(Household, int)
def further_carers_wage(household, period):
    wage = household.members("carer_wage", period)
    return household.sum(wage) - household.max(wage)


@step(Household, int)
def family_income(household, period):
    return household.sum(household.members("income_counted", period)) + household("further_carers_wage", period)


@step(Household, bool)
def is_listed(household, period):
    return household("listed_status", period) != Listed.none


@step(Household, int)
def income_line(household, period, parameters):
    now = parameters(period)
    return numpy.minimum(now.second_income_line[household("region", period)], now.consumption_line)


@step(Household, bool)
def is_within_income_line(household, period):
    line = household("income_line", period) * 12 * household("counted_members", period)
    return household("is_listed", period) | (household("family_income", period) <= line)


@step(Household, bool)
def is_below_first_line(household, period, parameters):
    line = parameters(period).first_income_line[household("region", period)] * 12 * household("counted_members", period)
    return household("is_listed", period) | (household("family_income", period) < line)


@step(Household, int)
def movable_property(household, period):
    return household.sum(household.members("movable_counted", period))


@step(Household, bool)
def is_within_movable_limit(household, period, parameters):
    now = parameters(period)
    limit = now.movable_limit_first + now.movable_limit_further * (household("counted_members", period) - 1)
    return household("is_listed", period) | (household("movable_property", period) <= limit)


@step(Household, int)
def immovable_property(household, period):
    return household.sum(household.members("immovable_counted", period))


@step(Household, bool)
def is_within_immovable_limit(household, period, parameters):
    limit = parameters(period).immovable_limit[household("region", period)]
    within = household("immovable_property", period) <= limit
    return household("is_listed", period) | within | household("land_value_relief", period)


# ---------------------------------------------------------------- the application, with the person who would make it


@step(Person, int)
def base_amount(person, period, parameters):
    allowance = parameters(period).allowance
    return numpy.where(person.household("is_below_first_line", period), allowance.full, allowance.half)


@step(Person, bool)
def eligible(person, period, parameters):
    one = (person("other_allowance", period) == OtherAllowance.none) | person("gives_up_other", period)
    return (
        person("is_elder", period)
        & person("lives_at_registration", period)
        & person("is_in_country", period)
        & ~person("in_public_care", period)
        & ~person("in_custody", period)
        & person.household("is_within_income_line", period)
        & person.household("is_within_movable_limit", period)
        & person.household("is_within_immovable_limit", period)
        & one
        & (person("other_public_aid", period) < parameters(period).basic_wage)
    )


@step(Person, int)
def monthly_amount(person, period, parameters):
    room = parameters(period).basic_wage - person("other_public_aid", period)
    return numpy.where(person("eligible", period), numpy.minimum(person("base_amount", period), room), 0)


def parameters_of(folder: Path) -> dict:
    """The CSV files of the service folder as OpenFisca's parameters: name → values by date, by key where they have one."""
    tree = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        keys = [column for column in rows[0] if column not in ("from", "value", "unit", "source", "note")]
        node = {}
        for row in rows:
            at = node
            for key in keys:
                at = at.setdefault(row[key], {})
            at.setdefault("values", {})[row["from"]] = {"value": int(row["value"])}
        tree[path.stem.replace("-", "_")] = node
    return tree


def system(service: Path) -> TaxBenefitSystem:
    """The tax and benefit system of this one service."""
    made = TaxBenefitSystem([Person, Household])
    for name, (entity, value_type) in INPUTS.items():
        made.add_variable(input_variable(name, entity, value_type))
    made.add_variables(*STEPS)
    made.parameters = ParameterNode("", data=parameters_of(service / "parameters"))
    return made
