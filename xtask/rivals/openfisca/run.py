"""Runs the rules of `senior_allowance.py` with OpenFisca and prints what the bench asks for as one line of JSON.

  run.py case PEOPLE CASE                            writes one family of the population as a case in JSON
  run.py time SERVICE PEOPLE CASE RESULTS DATE       times OpenFisca, and compares its answers with RESULTS row by row

PEOPLE is the Parquet file that `tongban rules people` writes, RESULTS the one that `tongban rules sweep --out` writes.
"""

import gc
import json
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy
import pyarrow
import pyarrow.compute
import pyarrow.parquet
from openfisca_core.indexed_enums import Enum, EnumArray
from openfisca_core.simulations import Simulation, SimulationBuilder
from senior_allowance import INPUTS, Household, system

HOUSEHOLD_INPUTS = {name for name, (entity, _) in INPUTS.items() if entity is Household}
CASE_INPUTS = {"other_allowance", "gives_up_other", "other_public_aid"}


def column_of(name):
    """The column of the population that fills an input."""
    if name in HOUSEHOLD_INPUTS:
        return f"household.{name}"
    if name in CASE_INPUTS:
        return f"case.{name}"
    return name


def as_array(column, value_type):
    """A column as the array OpenFisca wants, without a loop over rows."""
    if isinstance(value_type, type) and issubclass(value_type, Enum):
        column = column.unify_dictionaries().combine_chunks()
        index = {item.name: item.index for item in value_type}
        numbers = numpy.array([index[name] for name in column.dictionary.to_pylist()], dtype=numpy.uint8)
        return EnumArray(numbers[column.indices.to_numpy()], value_type)
    if value_type is bool:
        return column.to_numpy(zero_copy_only=False).astype(bool)
    if value_type is int:
        return pyarrow.compute.fill_null(column, 0).to_numpy().astype(numpy.int32)
    return column.to_numpy().astype("datetime64[D]")


def load(tax_system, path, period):
    """A simulation of the whole population."""
    columns = {column_of(name) for name in INPUTS if name != "deposits_reported"}
    table = pyarrow.parquet.read_table(path, columns=[*columns, "household", "applicant"])
    household = table["household"].to_numpy()
    first = numpy.concatenate([[True], household[1:] != household[:-1]])
    starts = numpy.flatnonzero(first)
    family = numpy.cumsum(first) - 1
    populations = tax_system.instantiate_entities()
    persons, households = populations["person"], populations["household"]
    persons.count, persons.ids = len(household), numpy.arange(len(household))
    households.count, households.ids = len(starts), numpy.arange(len(starts))
    households.members_entity_id = family
    households.members_position = numpy.arange(len(household)) - starts[family]
    simulation = Simulation(tax_system, populations)
    for name, (_, value_type) in INPUTS.items():
        if name == "deposits_reported":
            array = table["deposits"].is_valid().to_numpy(zero_copy_only=False)
        else:
            array = as_array(table[column_of(name)], value_type)
        if name in HOUSEHOLD_INPUTS:
            array = array[starts]
        simulation.set_input(name, period, array)
    applicants = numpy.flatnonzero(table["applicant"].to_numpy(zero_copy_only=False))
    return simulation, applicants


def write_case(people, path):
    """A family of four with exactly one applicant, every fact of it known, as the case JSON of `tongban rules decide`."""
    table = pyarrow.parquet.ParquetFile(people).read_row_group(0).to_pylist()
    families = {}
    for row in table:
        families.setdefault(row["household"], []).append(row)
    # what these rules do not ask may be unknown
    asked = {column_of(name) for name in INPUTS if name not in ("deposits_reported", "occupation_wage")}
    for rows in families.values():
        applicants = [row for row in rows if row["applicant"]]
        known = all(row[name] is not None for row in applicants for name in asked)
        known = known and all(row[name] is not None for row in rows for name in asked if not name.startswith("case."))
        if len(rows) == 4 and len(applicants) == 1 and known:
            break
    else:
        sys.exit("no family of four with one applicant and every fact known is in the first row group")
    (applicant,) = applicants
    plain = lambda value: value.isoformat() if hasattr(value, "isoformat") else value
    part = lambda row, prefix: {
        name.removeprefix(prefix): plain(value)
        for name, value in row.items()
        if name.startswith(prefix) and value is not None
    }
    persons = [
        {"id": f"p{number}", "applicant": row["applicant"]}
        | {
            name: plain(value)
            for name, value in row.items()
            if name in INPUTS and name not in CASE_INPUTS and name not in HOUSEHOLD_INPUTS and value is not None
        }
        for number, row in enumerate(rows, 1)
    ]
    case = {"case": part(applicant, "case."), "household": part(rows[0], "household."), "persons": persons}
    Path(path).write_text(json.dumps(case, ensure_ascii=False), encoding="utf-8")


def situation_of(case, period):
    """The same case in OpenFisca's own JSON."""
    dated = lambda values: {name: {period: value} for name, value in values.items()}
    persons = {}
    for person in case["persons"]:
        facts = {name: value for name, value in person.items() if name in INPUTS}
        facts["deposits_reported"] = "deposits" in person
        persons[person["id"]] = dated(facts | (case["case"] if person["applicant"] else {}))
    family = {"members": list(persons)} | dated(case["household"])
    return {"persons": persons, "households": {"h": family}}


def time_single(tax_system, text, period, times=300):
    """Median seconds from the text of a case to its two results, and the results of the applicant."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        simulation = SimulationBuilder().build_from_entities(tax_system, json.loads(text))
        eligible = simulation.calculate("eligible", period)
        amount = simulation.calculate("monthly_amount", period)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken), eligible, amount


def main():
    if sys.argv[1] == "case":
        write_case(*sys.argv[2:])
        return
    service, people, case_path, results_path, date = sys.argv[2:]
    period = date[:7]
    tax_system = system(Path(service))

    case = json.loads(Path(case_path).read_text(encoding="utf-8"))
    text = json.dumps(situation_of(case, period))
    time_single(tax_system, text, period, 20)
    single, eligible, amount = time_single(tax_system, text, period)
    at = next(number for number, person in enumerate(case["persons"]) if person["applicant"])

    loads, sweeps = [], []
    for _ in range(4):
        simulation = None
        gc.collect()
        begun = time.perf_counter()
        simulation, applicants = load(tax_system, people, period)
        loads.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        outcome = simulation.calculate("eligible", period)[applicants]
        amounts = simulation.calculate("monthly_amount", period)[applicants]
        sweeps.append(time.perf_counter() - begun)
    # the first run warms up: the parameters of the month and the pages of the file
    loads, sweeps = loads[1:], sweeps[1:]

    ours = pyarrow.parquet.read_table(results_path)
    same_rows = numpy.array_equal(ours["applicant_row"].to_numpy(), applicants)
    unknown = ours["outcome"].null_count + ours["monthly_amount"].null_count
    differing = -1
    if same_rows and unknown == 0:
        differing = int(
            numpy.count_nonzero(
                (ours["outcome"].to_numpy(zero_copy_only=False) != outcome)
                | (ours["monthly_amount"].to_numpy() != amounts)
            )
        )
    print(
        json.dumps(
            {
                "persons": simulation.persons.count,
                "cases": len(applicants),
                "entitled": int(numpy.count_nonzero(outcome)),
                "unknown": unknown,
                "differing": differing,
                "single_s": single,
                "single_outcome": bool(eligible[at]),
                "single_amount": int(amount[at]),
                "load_s": statistics.median(loads),
                "sweep_s": statistics.median(sweeps),
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


main()
