#!/usr/bin/env python3
"""usage: bench.py ENGINE THREADS SCALE [parts]   parts: comma list of load,single,m100,s100,m1000 (default all)
ENGINE: duckdb | clickhouse | polars | datafusion. Writes RESULTS_DIR/ENGINE-SCALE-tTHREADS.json; the data is in DATA_DIR/SCALE. `cargo xtask bench --peers` runs it."""
import sys, os, time, json, glob, statistics, shutil, zlib
eng, nt, scale = sys.argv[1], int(sys.argv[2]), sys.argv[3]
parts = (sys.argv[4] if len(sys.argv) > 4 else "single,m100,s100,m1000").split(",")
os.environ["POLARS_MAX_THREADS"] = str(nt); os.environ["TOKIO_WORKER_THREADS"] = str(nt)
os.sched_setaffinity(0, set(range(nt)))
from suite import build, NOW
from queries import NAMES, Duck, CH, DataFusion, single, multi
D0 = os.environ.get("DATA_DIR", "./data"); data = f"{D0}/{scale}"; work = f"{D0}/work-{eng}-{scale}-{nt}"
EV, PR = f"{data}/events-*.parquet", f"{data}/profiles.parquet"
outp = os.environ["RESULTS_DIR"]; os.makedirs(outp, exist_ok=True)
shutil.rmtree(work, ignore_errors=True); os.makedirs(work)
R = dict(engine=eng, threads=nt, scale=scale, load={}, single={}, multi={})
def log(*a): print(f"[{eng} t{nt} {scale}]", *a, file=sys.stderr, flush=True)
def timed(f):
    t = time.perf_counter(); r = f(); return time.perf_counter() - t, r
FLUSH = bytes(64 << 20)
def bench(f, reps, budget):
    t, r = timed(f); ts = []; spent = t
    while len(ts) < reps and (not ts or spent < budget):
        zlib.crc32(FLUSH)   # other memory, gone through before each sample, as before those of Seg
        t, r2 = timed(f); ts.append(t); spent += t
        assert r2 == r, (r, r2)
    return ts, r
layouts = {}   # layout name -> (D, run(sql) -> flat tuple of ints)

if eng == "duckdb":
    import duckdb
    con = duckdb.connect(f"{work}/db.duckdb"); con.execute(f"SET threads={nt}"); con.execute("SET preserve_insertion_order=true")
    con.execute(f"CREATE TYPE nm AS ENUM ({','.join(repr(n) for n in NAMES)})")
    for c in ("category", "country", "plan"):
        f = PR if c != "category" else EV
        con.execute(f"CREATE TYPE e_{c} AS ENUM (SELECT DISTINCT {c} FROM read_parquet('{f}') WHERE {c} IS NOT NULL ORDER BY 1)")
    R["load"]["profiles"] = timed(lambda: con.execute(f"CREATE TABLE profiles AS SELECT * REPLACE (country::e_country AS country, plan::e_plan AS plan, last_product_category::e_category AS last_product_category) FROM read_parquet('{PR}')"))[0]
    sel = f"SELECT * REPLACE (name::nm AS name, category::e_category AS category) FROM read_parquet('{EV}')"
    R["load"]["events_unsorted"] = timed(lambda: con.execute(f"CREATE TABLE events_raw AS {sel}"))[0]; con.execute("DROP TABLE events_raw")
    for ln, o in (("name,ts", "name, ts"), ("name,pid,ts", "name, profile_id, ts")):
        t = "events_" + ln.replace(",", "_")
        R["load"]["events " + ln] = timed(lambda: con.execute(f"CREATE TABLE {t} AS {sel} ORDER BY {o}"))[0]
        d = Duck(); d.table = t; layouts[ln] = (d, lambda sql: tuple(int(x or 0) for x in con.execute(sql).fetchone()))
    con.execute("CHECKPOINT")
elif eng == "clickhouse":
    from chdb import session
    ch = session.Session(f"{work}/ch")
    st = f"max_threads={nt}, max_query_size=100000000, max_ast_elements=10000000, max_expanded_ast_elements=10000000, max_insert_threads={nt}, max_ast_depth=10000, join_algorithm='default'"
    def chq(sql): 
        st2 = st + (", join_use_nulls=1" if "SETTINGS join_use_nulls=1" in sql else "")
        return ch.query(sql.split(" SETTINGS ")[0] + " SETTINGS " + st2, "CSV").bytes().decode()
    ch.query("CREATE DATABASE b"); ch.query("USE b")
    ch.query("""CREATE TABLE profiles (profile_id UInt32, email_consent Bool, sms_consent Bool, suppressed Bool, country LowCardinality(String), total_orders Int32, total_spent Float64,
      first_order_date Nullable(DateTime64(6,'UTC')), last_order_date Nullable(DateTime64(6,'UTC')), plan LowCardinality(String), last_product_category LowCardinality(Nullable(String))) ENGINE=MergeTree ORDER BY profile_id""")
    R["load"]["profiles"] = timed(lambda: chq(f"INSERT INTO profiles SELECT * FROM file('{PR}', Parquet)"))[0]
    for ln, o in (("name,ts", "name, ts"), ("name,pid,ts", "name, profile_id, ts"), ("pid,ts", "profile_id, ts")):
        t = "events_" + ln.replace(",", "_")
        ch.query(f"CREATE TABLE {t} (profile_id UInt32, name LowCardinality(String), ts DateTime64(6,'UTC'), category LowCardinality(Nullable(String)), amount Nullable(Float64), sku LowCardinality(Nullable(String))) ENGINE=MergeTree ORDER BY ({o})")
        R["load"]["events " + ln] = timed(lambda: chq(f"INSERT INTO {t} SELECT * FROM file('{EV}', Parquet)"))[0]
        R["load"]["merge " + ln] = timed(lambda: ch.query(f"OPTIMIZE TABLE {t} FINAL"))[0]
        d = CH(); d.table = t; layouts[ln] = (d, lambda sql: tuple(int(x) if x != "\\N" else 0 for x in chq(sql).strip().split(",")))
elif eng == "datafusion":
    import datafusion, pyarrow as pa
    ctx = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(nt).set("datafusion.execution.parquet.pushdown_filters", "true"))
    import pyarrow.parquet as pqt
    def reg(name, batches):
        k = max(1, nt); ctx.register_record_batches(name, [batches[i::k] for i in range(k)])
    def load():
        d = "arrow_cast({0}, 'Dictionary(Int32, Utf8)') AS {0}"; ts = "arrow_cast({0}, 'Timestamp(Microsecond, None)') AS {0}"
        ctx.register_parquet("pqp", PR)
        reg("profiles", ctx.sql(f"SELECT profile_id, email_consent, sms_consent, suppressed, {d.format('country')}, total_orders, total_spent, {ts.format('first_order_date')}, {ts.format('last_order_date')}, {d.format('plan')}, {d.format('last_product_category')} FROM pqp").collect())
        files = sorted(glob.glob(EV)); [ctx.register_parquet(f"pq{i}", f) for i, f in enumerate(files)]
        u = " UNION ALL ".join(f"SELECT * FROM pq{i}" for i in range(len(files)))
        reg("events", ctx.sql(f"SELECT profile_id, {d.format('name')}, {ts.format('ts')}, {d.format('category')}, amount FROM ({u}) u").collect())
    R["load"]["events_unsorted"] = timed(load)[0]
    R["load"]["split by name"] = timed(lambda: [reg(f"ev{i}", ctx.sql(f"SELECT profile_id, ts, category, amount FROM events WHERE name = '{n}' ORDER BY ts").collect()) for i, n in enumerate(NAMES)])[0]
    def run(sql):
        b = ctx.sql(sql).collect(); b = pa.Table.from_batches(b); return tuple(int(c[0].as_py() or 0) for c in b.columns)
    layouts["per-name tables"] = (DataFusion(), run)
elif eng == "polars":
    import polars as pl
    from polars_q import Q
    def load():
        enum = pl.Enum(NAMES); prof = pl.read_parquet(PR).with_columns(pl.col("country", "plan", "last_product_category").cast(pl.Categorical))
        e = pl.scan_parquet(EV).select("profile_id", pl.col("name").cast(enum), "ts", pl.col("category").cast(pl.Categorical), "amount", pl.col("sku").cast(pl.Categorical)).collect()
        return prof, e
    R["load"]["events_unsorted"], (prof, e) = timed(load)
    def split():
        ev = {k[0]: v.drop("name").sort("ts") for k, v in e.partition_by("name", as_dict=True).items()}
        return ev, e.select("profile_id", "ts").sort("ts")
    R["load"]["split by name, sort ts"], (ev, allev) = timed(split)
    def splitp(): return {k: v.sort("profile_id", "ts") for k, v in ev.items()}
    R["load"]["split by name, sort pid,ts"], evp = timed(splitp)
    del e
    for engine in ("in-memory", "streaming"):
        layouts[engine] = (Q(prof, ev, allev), lambda lf, engine=engine: tuple(int(x or 0) for x in lf.collect(engine=engine).row(0)))
        layouts[engine + " pid-sorted"] = (Q(prof, ev, allev, evp), lambda lf, engine=engine: tuple(int(x or 0) for x in lf.collect(engine=engine).row(0)))
log("load", {k: round(v, 2) for k, v in R["load"].items()})
def variants(D, f, p): return D.single(f, p) if eng == "polars" else single(D, f, p)
def save(): json.dump(R, open(f"{outp}/{eng}-{scale}-t{nt}.json", "w"), indent=0)
save()
best_single = {}
if "single" in parts:
    for s in build(12):
        res = {}; checks = set()
        for ln, (D, run) in layouts.items():
            if eng == "polars" and "pid-sorted" in ln: continue
            for vi, qv in enumerate(variants(D, s["family"], s["params"])):
                try: ts, r = bench(lambda: run(qv), 9, 3.0)
                except Exception as ex: log("FAIL", s["id"], ln, vi, str(ex)[:300]); continue
                res[f"{ln}#{vi}"] = ts; checks.add(r)
        if len(checks) != 1: log("DISAGREE", s["id"], checks)
        b = min(res, key=lambda k: statistics.median(res[k])); best_single[s["family"]] = b
        (D, run), qv = layouts[b.split("#")[0]], variants(layouts[b.split("#")[0]][0], s["family"], s["params"])[int(b.split("#")[1])]
        back = statistics.median(timed(lambda: run(qv))[0] for _ in range(15 if statistics.median(res[b]) < 0.1 else 3))   # the same question again and again, nothing between
        R["single"][s["id"]] = dict(best=b, median=statistics.median(res[b]), back=back, check=list(sorted(checks)[0]), all={k: statistics.median(v) for k, v in res.items()})
        log("segment", s["id"], b, f"{statistics.median(res[b])*1e3:.2f} ms, back to back {back*1e3:.2f} ms", checks); save()
if "rr" in parts:   # each sample right after segment 10's query (the widest scan): the peers' counterpart of the limit program's "after another kernel"
    best = {s["family"]: (layouts[best_single[s["family"]].split("#")[0]], int(best_single[s["family"]].split("#")[1]), s["params"]) for s in build(12)}
    def go(f): (D, run), vi, p = best[f]; q = variants(D, f, p)[vi]; return lambda: run(q)
    flush = go(10)
    for f in best:
        g = go(f); ts = []
        for _ in range(9): flush(); ts.append(timed(g)[0])
        R["single"][f]["after"] = statistics.median(ts); log("after another query", f, f"{statistics.median(ts)*1e3:.2f} ms (back to back {R['single'][f]['median']*1e3:.2f})")
    save()
def do_multi(n, reps, budget):
    segs = build(n); res = {}; chk = None
    for ln, (D, run) in layouts.items():
        for wide in ([False, True] if eng == "clickhouse" and n == 100 and ln == "pid,ts" else [False]):
            if eng == "clickhouse" and ln == "pid,ts" and not wide: continue
            try: 
                qv = D.multi(segs) if eng == "polars" else multi(D, segs, wide)
                ts, r = bench(lambda: run(qv), reps, budget)
            except BaseException as ex:
                log("FAIL multi", n, ln, str(ex)[:400]); continue
            if chk is not None and chk != r: log("DISAGREE multi", n, ln, [i for i in range(len(r)) if r[i] != chk[i]][:10])
            chk = chk or r; res[ln + (" wide" if wide else "")] = ts; log("multi", n, ln, wide, [round(t, 3) for t in ts])
            # After each layout, so that it counts although a later one be stopped.
            b = min(res, key=lambda k: statistics.median(res[k]))
            pairs = [(chk[i], chk[n + i]) for i in range(n)] if eng == "polars" else [(chk[2*i], chk[2*i+1]) for i in range(n)]
            R["multi"][str(n)] = dict(best=b, median=statistics.median(res[b]), check=pairs, all={k: statistics.median(v) for k, v in res.items()}); save()
if "m100" in parts: do_multi(100, 3, 40)
if "s100" in parts:
    segs = build(100)
    if not best_single: best_single = {s["family"]: list(layouts)[0] + "#0" for s in build(12)}
    qs = []
    for s in segs:
        ln, vi = best_single[s["family"]].split("#"); D, run = layouts[ln]; qs.append((run, variants(D, s["family"], s["params"])[int(vi)]))
    def allq(): return tuple(run(x) for run, x in qs)
    ts, r = bench(allq, 3, 30); R["multi"]["100 separate"] = dict(median=statistics.median(ts), check=r); log("100 separate", ts); save()
    if "100" in R["multi"] and [tuple(x) for x in R["multi"]["100"]["check"]] != [tuple(x) for x in r]: log("DISAGREE separate vs shared", [(i+1, a, b) for i, (a, b) in enumerate(zip(R["multi"]["100"]["check"], r)) if tuple(a) != tuple(b)][:5])
if "m1000" in parts: do_multi(1000, 2, 60)
save(); shutil.rmtree(work, ignore_errors=True); log("done"); os._exit(0)
