"""What a reader that shares no code with ours finds in a table: every version's rows, columns and notes, as JSON."""

import json
import sys

from deltalake import DeltaTable, QueryBuilder

folder, oldest, application = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def rows(table):
    names = [field.name for field in table.schema().fields]
    cells = ", ".join(f"""coalesce(arrow_cast("{name}", 'Utf8'), '-')""" for name in names)
    query = f"select concat_ws(' ', {cells}) as line from t order by line"
    found = QueryBuilder().register("t", table).execute(query).read_all()
    return found.column("line").to_pylist()


latest = DeltaTable(folder)
versions = {version: DeltaTable(folder, version=version) for version in range(oldest, latest.version() + 1)}
told = {
    "version": latest.version(),
    "columns": {field.name: f"{field.type.type}{'' if field.nullable else ' required'}" for field in latest.schema().fields},
    "rows": {version: rows(table) for version, table in versions.items()},
    "noted": latest.transaction_version(application),
    "operations": [entry["operation"] for entry in reversed(latest.history())],
}
print(json.dumps(told, ensure_ascii=False))
