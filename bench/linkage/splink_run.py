"""Runs Splink on one set and prints what the bench asks for as one line of JSON.

  splink_run.py SET DATA THREADS MEMORY_GB    DATA is the folder of the sets

Training and prediction are timed apart, and reading the files with training. Best F1 is over every threshold of the match weight;
true pairs that blocking lost count as missed.
"""

import json
import logging
import resource
import sys
import time

import duckdb
from splink import DuckDBAPI, Linker, block_on
from splink_settings import MAX_PAIRS, SETS

logging.disable(logging.WARNING)


def clustered(con, linker, predictions, truth, pairs):
    """F1 of Splink's clusters at every whole weight."""
    for weight in range(-4, 17):
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, threshold_match_weight=weight)
        sizes = f"select count(*) as n, {truth} as entity, cluster_id from {clusters.physical_name}"
        hits, made = (
            con.cursor()
            .execute(
                f"""
                select (select sum(n * (n - 1) / 2) from ({sizes} group by cluster_id, entity)),
                       (select sum(n * (n - 1) / 2) from (select count(*) as n from {clusters.physical_name} group by cluster_id))
                """
            )
            .fetchall()[0]
        )
        yield 2.0 * hits / (made + pairs)


def main(name, data, threads, memory):
    files, truth, settings, training = SETS[name]
    con = duckdb.connect(":memory:", config={"threads": int(threads), "memory_limit": f"{memory}GB"})
    began = time.perf_counter()
    api = DuckDBAPI(con)
    frames = []
    for place, file in enumerate(files):
        con.execute(
            f"create table input_{place} as select columns(*) from read_csv('{data}/{file}', all_varchar=true, header=true)"
        ).fetchall()
        # the FEBRL files have a space behind each comma, which belongs to no value
        names = [row[0] for row in con.execute(f"describe input_{place}").fetchall()]
        trimmed = ", ".join(f"nullif(trim(\"{column}\"), '') as {column.strip()}" for column in names)
        con.execute(f"create table records_{place} as select {trimmed} from input_{place}").fetchall()
        frames.append(api.register(f"records_{place}"))
    linker = Linker(frames if len(frames) > 1 else frames[0], settings())
    linker.training.estimate_u_using_random_sampling(max_pairs=MAX_PAIRS.get(name, 1e7))
    for columns in training:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
    trained = time.perf_counter()
    predictions = linker.inference.predict(threshold_match_weight=-10)
    predicted = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    id_column = "rec_id" if "febrl" in name else "unique_id"
    tables = " union all ".join(
        f"select {id_column} as id, {place} as source, {truth} as entity from records_{place}"
        for place in range(len(files))
    )
    con.execute(f"create table truth as {tables}").fetchall()
    condition = "a.source < b.source" if len(files) > 1 else "a.id < b.id"
    pairs = con.execute(
        f"select count(*) from truth a join truth b on a.entity = b.entity and {condition}"
    ).fetchall()[0][0]
    best = con.execute(
        f"""
        with scored as (
            select p.match_weight as weight, (a.entity = b.entity)::int as true_pair
            from {predictions.physical_name} p
            join truth a on a.id = p.{id_column}_l
            join truth b on b.id = p.{id_column}_r
        ), summed as (
            select weight, sum(true_pair) as hits, count(*) as made from scored group by weight
        ), curve as (
            select weight, sum(hits) over w as hits, sum(made) over w as made
            from summed window w as (order by weight desc)
        )
        select 2.0 * hits / (made + {pairs}) as f1, weight, hits / made, hits / {pairs}, max(hits) over () / {pairs},
               max(made) over ()
        from curve order by f1 desc limit 1
        """
    ).fetchall()[0]
    clusters = max(clustered(con, linker, predictions, truth, pairs), default=0.0) if len(files) == 1 else 0.0
    print(
        json.dumps(
            {
                "set": name,
                "true_pairs": pairs,
                "f1": float(best[0]),
                "clusters_f1": clusters,
                "weight": float(best[1]),
                "precision": float(best[2]),
                "recall": float(best[3]),
                "found_by_blocking": float(best[4]),
                "scored": int(best[5]),
                "training_s": trained - began,
                "prediction_s": predicted - trained,
                "peak_mib": peak / 1024,
            }
        )
    )


main(*sys.argv[1:])
