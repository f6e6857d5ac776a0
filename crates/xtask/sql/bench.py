"""The people of the benchmark as tables of DuckDB, and queries that count.

    load FOLDER DATABASE    makes the tables out of the Parquet files of a folder
    ask DATABASE QUERY      {"members": [3, 1], "query": 0.25}: what each segment counts, and the seconds of the query
    plan DATABASE QUERY     the same over empty tables of the same columns
"""
import json
import sys
import time

import duckdb

PEOPLE = """
SELECT * REPLACE (
    CAST(total_spent AS DECIMAL(19,4)) AS total_spent,
    first_order_date AT TIME ZONE 'UTC' AS first_order_date,
    last_order_date AT TIME ZONE 'UTC' AS last_order_date
) FROM '{folder}/profiles.parquet'"""
EVENTS = """
SELECT *, row_number() OVER () AS arrived FROM (
    SELECT * REPLACE (ts AT TIME ZONE 'UTC' AS ts, CAST(amount AS DECIMAL(19,4)) AS amount)
    FROM '{folder}/events-*.parquet'
)"""

mode, *args = sys.argv[1:]
if mode == "load":
    folder, database = args
    connection = duckdb.connect(database)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("CREATE TABLE people AS" + PEOPLE.format(folder=folder))
    connection.execute("CREATE TABLE events AS" + EVENTS.format(folder=folder))
    connection.close()
    sys.exit()
database, query = args
query = open(query).read()
if mode == "plan":
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{database}' AS whole (READ_ONLY)")
    for table in ("people", "events"):
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM whole.{table} LIMIT 0")
else:
    connection = duckdb.connect(database, read_only=True)
start = time.perf_counter()
rows = connection.execute(query).fetchall()
print(json.dumps({"members": [row[1] for row in rows], "query": time.perf_counter() - start}))
