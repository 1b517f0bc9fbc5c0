"""Rows of one key with DuckDB: a plain Parquet file of the same columns, sorted by the key so that its statistics lead to a few row
groups, asked by a prepared statement in two threads of their own.

Prints how many lookups a second, and whether each found its row, as JSON. It asks no policy, records nothing, and nothing is
encrypted.
"""

import json
import sys
import tempfile
import threading
import time

import duckdb

rows, seconds = int(sys.argv[1]), float(sys.argv[2])
home = tempfile.TemporaryDirectory()
out = f"{home.name}/permits.parquet"
con = duckdb.connect()
con.execute("SET threads TO 2")
con.execute(
    """
    COPY (
        SELECT printf('P%%07d', i) AS permit_number, printf('B2%%07d0', i) AS holder, '王小明' AS holder_name,
            printf('ABC-%%04d', i %% 10000) AS plate, DATE '2024-01-15' AS valid_from, DATE '2029-01-14' AS valid_until
        FROM range(%d) t(i) ORDER BY holder
    ) TO '%s' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)
    """
    % (rows, out.replace("'", "''"))
)
con.execute("SET enable_object_cache = true")
counts, found = [0, 0], [True, True]
begun = time.perf_counter()


def ask(who):
    cursor = con.cursor()
    cursor.execute("SET threads TO 1")
    cursor.execute(f"PREPARE one AS SELECT valid_from, valid_until FROM read_parquet('{out}') WHERE holder = $1")
    number = who
    while time.perf_counter() - begun < seconds:
        number = (number + 7919) % rows
        got = cursor.execute(f"EXECUTE one('B2{number:07}0')").fetchall()
        found[who] = found[who] and len(got) == 1
        counts[who] += 1


clients = [threading.Thread(target=ask, args=(who,)) for who in range(2)]
for client in clients:
    client.start()
for client in clients:
    client.join()
took = time.perf_counter() - begun
print(json.dumps({"lookups_per_s": sum(counts) / took, "found": all(found)}))
