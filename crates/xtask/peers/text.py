#!/usr/bin/env python3
"""usage: text.py THREADS FILE VARIANT
Answers the question of `cargo xtask bench --text` from one CSV or NDJSON file with DuckDB, as a process of its own, and prints how long
the query alone took and the answer. Exit code 4: there is no such variant."""
import sys, os, json, time
threads, file, variant = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
import duckdb
types = "{'user_id': 'BIGINT', 'event': 'VARCHAR', 'time': 'TIMESTAMPTZ', 'product': 'VARCHAR', 'amount': 'DOUBLE', 'quantity': 'INTEGER'}"
# The types found by the engine, or told to it.
readers = ([f"read_csv('{file}')", f"read_csv('{file}', columns={types}, header=true)"] if file.endswith(".csv")
    else [f"read_json('{file}', format='newline_delimited')", f"read_json('{file}', format='newline_delimited', columns={types})"])
if variant >= len(readers): sys.exit(4)
con = duckdb.connect(); con.execute(f"SET threads={threads}"); con.execute("SET TimeZone='UTC'")
start = time.perf_counter()
found = con.execute(f"""
    SELECT count(*) FILTER (n >= 1), count(*) FROM (
        SELECT user_id, count(*) FILTER (event = 'purchase' AND product = 'product-7' AND amount > 50 AND quantity >= 2
            AND time >= TIMESTAMPTZ '{os.environ["SINCE"]}' AND time <= TIMESTAMPTZ '{os.environ["NOW"]}') AS n
        FROM {readers[variant]} GROUP BY user_id)""").fetchone()
print(json.dumps({"query": time.perf_counter() - start, "members": [int(found[0])]}), flush=True)
os._exit(0)
