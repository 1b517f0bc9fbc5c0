"""The bench's bills into Parquet with DuckDB: the same columns cast, the same rules, the first row of a key kept.

Prints rows, rejected, seconds and the peak of memory as JSON. There are no check digits in it, no reasons kept with what was
rejected, no journal, no versions and no encryption.
"""

import json
import resource
import sys
import time

import duckdb

source, out = sys.argv[1:3]
begun = time.perf_counter()
con = duckdb.connect()
con.execute("SET threads TO 2")
con.execute("SET memory_limit = '4GB'")
stamp = "try_strptime({}, '%Y-%m-%d %H:%M:%S')".format
con.execute(
    f"""
    CREATE TEMP TABLE bills AS
    SELECT "停車單號" AS bill_number, "車號" AS plate, "路段代碼" || '-' || "格位號" AS place,
        CASE "專用格位" WHEN 'Y' THEN true WHEN 'N' THEN false END AS reserved,
        try_cast("停車日期" AS DATE) AS day, {stamp('"進場時間"')} AS arrived_at, {stamp('"離場時間"')} AS left_at,
        try_cast("停車費" AS BIGINT) AS fee, try_cast("減免" AS BIGINT) AS reduction, try_cast("應繳" AS BIGINT) AS due,
        {stamp('"異動時間"')} AS changed_at
    FROM read_csv(?, delim = '|', header = true, all_varchar = true)
    """,
    [source],
)
total = con.execute("SELECT count(*) FROM bills").fetchone()[0]
con.execute(
    """
    COPY (
        SELECT * FROM bills
        WHERE bill_number IS NOT NULL AND regexp_full_match(plate, '[A-Z0-9]{2,4}-[A-Z0-9]{2,4}') AND reserved IS NOT NULL
            AND day IS NOT NULL AND arrived_at IS NOT NULL AND changed_at IS NOT NULL
            AND (left_at IS NULL OR arrived_at <= left_at) AND fee = due + reduction
        QUALIFY row_number() OVER (PARTITION BY bill_number) = 1
    ) TO '%s' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
    """
    % out.replace("'", "''")
)
rows = con.execute("SELECT count(*) FROM read_parquet(?)", [out]).fetchone()[0]
seconds = time.perf_counter() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"rows": rows, "rejected": total - rows, "seconds": seconds, "peak_mib": peak}))
