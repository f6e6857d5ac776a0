#!/usr/bin/env python3
"""usage: cold.py ENGINE THREADS SCALE WHAT VARIANT
ENGINE: duckdb | duckdb-own | polars; WHAT: a segment of the twelve by its number, or `all12` or `all100`. Answers one question from the
Parquet files in DATA_DIR/SCALE, or from DuckDB's own file of them, which `duckdb-own` makes where WHAT is `make`, as a process of its
own, and prints how long the query alone took and the answer. Exit code 4: there is no such variant. `cargo xtask bench --cold` and
`--store` run it."""
import sys, os, json, time
eng, nt, scale, what, variant = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
os.environ["POLARS_MAX_THREADS"] = str(nt)
data = f"{os.environ['DATA_DIR']}/{scale}"
EV, PR = f"{data}/events-*.parquet", f"{data}/profiles.parquet"
from suite import build

def pick(queries):
    if variant >= len(queries): sys.exit(4)
    return queries[variant]

OWN = f"{data}/own.duckdb"
if what == "make":
    import duckdb
    if os.path.exists(OWN): os.remove(OWN)
    con = duckdb.connect(OWN); con.execute(f"SET threads={nt}")
    con.execute(f"CREATE TABLE profiles AS SELECT * FROM read_parquet('{PR}')"); con.execute(f"CREATE TABLE events AS SELECT * FROM read_parquet('{EV}')")
    con.close()
    print(json.dumps({"query": 0, "members": [os.path.getsize(OWN)]}), flush=True)
    os._exit(0)
if eng in ("duckdb", "duckdb-own"):
    import duckdb
    from queries import Duck, single, multi
    con = duckdb.connect(OWN, read_only=True) if eng == "duckdb-own" else duckdb.connect(); con.execute(f"SET threads={nt}")
    if eng == "duckdb":
        con.execute(f"CREATE VIEW profiles AS SELECT * FROM read_parquet('{PR}')"); con.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{EV}')")
    D = Duck()
    if what.startswith("all"): sql = pick([multi(D, build(int(what[3:])))])
    else: s = build(12)[int(what) - 1]; sql = pick(single(D, s["family"], s["params"]))
    start = time.perf_counter(); found = con.execute(sql).fetchone()
else:
    import polars as pl
    from polars_q import Q, T, at
    class Scans:
        def __getitem__(s, name): return pl.scan_parquet(EV).filter(pl.col("name") == name)
    class Cold(Q):
        """The same questions of files that are scanned for each."""
        def ge(s, name, lo):
            frame = pl.scan_parquet(EV) if name is None else s.ev[name]
            return frame if lo <= 0 else frame.filter(T >= at(lo))
    C = Cold(pl.scan_parquet(PR), Scans(), None)
    engine = ["streaming", "in-memory"]
    if what.startswith("all"): queries = [C.multi(build(int(what[3:])))]
    else: s = build(12)[int(what) - 1]; queries = C.single(s["family"], s["params"])
    query, how = pick([(query, how) for query in queries for how in engine])
    start = time.perf_counter(); found = query.collect(engine=how).row(0)
took = time.perf_counter() - start
found = [int(x or 0) for x in found]
half = len(found) // 2
pairs = list(zip(found[:half], found[half:])) if eng == "polars" and what.startswith("all") else list(zip(found[0::2], found[1::2]))
print(json.dumps({"query": took, "members": [n for n, _ in pairs]}), flush=True)
os._exit(0)
