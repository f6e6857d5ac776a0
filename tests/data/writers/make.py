"""Writes the same rows with the writers that teams use, in each of their formats.

    python3 -m venv venv && venv/bin/pip install pyarrow polars duckdb pandas fastparquet pyspark
    venv/bin/python make.py

Spark needs Java. The files are kept, so that the tests need none of this. What is right
stands in `rows.ndjson`, which this script writes with the json module alone, and
`crates/seg-io/tests/writers.rs` compares with it what Seg reads from every other file.
"""

import csv
import datetime as dt
import glob
import json
import math
import os
import shutil
import tempfile
import uuid
from decimal import Decimal

UTC = dt.timezone.utc
HERE = os.path.dirname(os.path.abspath(__file__))

COLUMNS = ["id", "event", "time", "local", "text", "code", "n", "small", "amount", "weight", "gift", "day", "tags",
           "scores", "lines", "kind", "key", "ship"]


def row(id, time, **values):
    return {"id": id, "event": "order", "time": time} | {c: values.get(c) for c in COLUMNS[3:]}


ROWS = [
    row(1, dt.datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC), local=dt.datetime(2026, 3, 1, 11, 0, 0), text="plain",
        code="007", n=1, small=4, amount=Decimal("19.9900"), weight=0.5, gift=True, day=dt.date(2026, 3, 1),
        tags=["a", "b"], scores=[1, 2], lines=[{"sku": "x", "qty": 2}, {"sku": "y", "qty": 1}], kind="web",
        key=uuid.UUID("3b241101-e2bb-4255-8caf-4136c566a962"), ship={"city": "Köln", "to": {"zip": "50667"}}),
    # Quotes, separators, lines; microseconds; the hour that a clock skips.
    row(2, dt.datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC), local=dt.datetime(2026, 3, 29, 2, 30, 0),
        text='he said "no, thanks"', code="1e3", n=-5, small=0, amount=Decimal("-0.0100"), weight=-1.25, gift=False,
        day=dt.date(1969, 12, 31), tags=["with, comma", "with \"quote\""], scores=[-1],
        lines=[{"sku": "ü, \"z\"", "qty": 0}], kind="app", key=uuid.UUID(int=1), ship={"city": "a;b", "to": {"zip": "007"}}),
    # Nothing but what must be there.
    row(3, dt.datetime(2026, 3, 1, 10, 0, 1, tzinfo=UTC)),
    # The ends of what types hold, and the hour that a clock has twice.
    row(4, dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), local=dt.datetime(2026, 10, 25, 2, 30, 0), text="😀 ende",
        code="+1", n=9007199254740993, small=7, amount=Decimal("1234567.8900"), weight=1e300, gift=True,
        day=dt.date(2100, 2, 28), tags=["😀"], scores=[9007199254740993], lines=[{"sku": "q", "qty": 9}], kind="web",
        key=uuid.UUID(int=2**128 - 1), ship={"city": "東京", "to": {"zip": "x"}}),
    # Texts that tools write for nothing are texts here.
    row(5, dt.datetime(2026, 12, 31, 23, 0, 0, tzinfo=UTC), local=dt.datetime(2026, 12, 31, 23, 59, 59, 999999),
        text="null", code="0", n=-9223372036854775808, small=-1, amount=Decimal("0.1000"), weight=float("nan"), gift=False,
        day=dt.date(2024, 2, 29), tags=["null"], scores=[0], lines=[{"sku": "n", "qty": None}], kind="tv",
        key=uuid.UUID(int=3), ship={"city": None, "to": {"zip": "1"}}),
    row(6, dt.datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC), local=dt.datetime(2026, 5, 4, 3, 2, 1), text="two\nlines",
        code="1.50", n=9223372036854775807, small=2, amount=Decimal("100.0000"), weight=float("inf"), gift=None,
        day=None, tags=None, scores=None, lines=None, kind=None, key=None, ship=None),
]


def plain(value):
    """A value as JSON has it: exact, times in words, what is no number missing."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case dt.datetime():
            return value.isoformat().replace("+00:00", "Z")
        case dt.date() | uuid.UUID():
            return str(value)
        case Decimal():
            return str(value)
        case dict():
            return {k: plain(v) for k, v in value.items()}
        case list():
            return [plain(v) for v in value]
    return value


def path(name):
    return os.path.join(HERE, name)


def flat(r):
    """A row as a table without lists and records has it: these in JSON."""
    out = {c: r[c] for c in COLUMNS if c != "ship"}
    for c in ["tags", "scores", "lines"]:
        out[c] = None if r[c] is None else json.dumps(plain(r[c]), ensure_ascii=False)
    out["key"] = None if r["key"] is None else str(r["key"])
    ship = r["ship"] or {"city": None, "to": {"zip": None}}
    out["ship.city"], out["ship.to.zip"] = ship["city"], ship["to"]["zip"]
    return out


def reference():
    with open(path("rows.ndjson"), "w") as f:
        for r in ROWS:
            f.write(json.dumps({k: plain(v) for k, v in r.items()}, ensure_ascii=False) + "\n")
    with open(path("python.csv"), "w", newline="") as f:
        rows = [{k: plain(v) for k, v in flat(r).items()} for r in ROWS]
        writer = csv.DictWriter(f, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def arrow_table(**types):
    import pyarrow as pa
    line = pa.struct([("sku", pa.string()), ("qty", pa.int64())])
    ship = pa.struct([("city", pa.string()), ("to", pa.struct([("zip", pa.string())]))])
    of = {"id": pa.int64(), "event": pa.string(), "time": pa.timestamp("us", "UTC"), "local": pa.timestamp("us"),
          "text": pa.string(), "code": pa.string(), "n": pa.int64(), "small": pa.int8(), "amount": pa.decimal128(18, 4),
          "weight": pa.float64(), "gift": pa.bool_(), "day": pa.date32(), "tags": pa.list_(pa.string()),
          "scores": pa.list_(pa.int64()), "lines": pa.list_(line), "kind": pa.dictionary(pa.int32(), pa.string()),
          "key": pa.string(), "ship": ship} | types
    columns = []
    for name in COLUMNS:
        values = [r[name] for r in ROWS]
        if name == "key" and of["key"] == pa.uuid():
            storage = pa.array([v and v.bytes for v in values], pa.binary(16))
            columns.append(pa.ExtensionArray.from_storage(pa.uuid(), storage))
        elif name == "key":
            columns.append(pa.array([v and str(v) for v in values], of[name]))
        else:
            columns.append(pa.array(values, of[name]))
    return pa.table(columns, names=COLUMNS)


def pyarrow_files():
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.feather
    import pyarrow.parquet as pq
    plain_table = arrow_table()
    for codec in ["snappy", "gzip", "brotli", "lz4", "zstd", "none"]:
        pq.write_table(plain_table, path(f"pyarrow-{codec}.parquet"), compression=codec)
    pq.write_table(plain_table, path("pyarrow-v2-pages.parquet"), data_page_version="2.0", version="2.6",
                   use_dictionary=False, row_group_size=2)
    pq.write_table(plain_table, path("pyarrow-no-schema.parquet"), store_schema=False, write_statistics=False)
    pq.write_table(plain_table, path("pyarrow-int96.parquet"), use_deprecated_int96_timestamps=True)
    others = arrow_table(
        id=pa.uint64(), event=pa.large_string(), time=pa.timestamp("ns", "Europe/Berlin"), local=pa.timestamp("ns"),
        text=pa.string_view(), small=pa.int16(), amount=pa.decimal256(40, 4),
        day=pa.date64(), tags=pa.large_list(pa.large_string()), kind=pa.dictionary(pa.int8(), pa.string()), key=pa.uuid(),
        code=pa.dictionary(pa.uint16(), pa.large_string()))
    pq.write_table(others, path("pyarrow-other-types.parquet"))
    for codec in ["uncompressed", "lz4", "zstd"]:
        pa.feather.write_feather(plain_table, path(f"pyarrow-{codec}.feather"), compression=codec)
    with pa.OSFile(path("pyarrow-stream.arrows"), "wb") as f, pa.ipc.new_stream(f, others.schema) as stream:
        stream.write_table(others, max_chunksize=2)
    with pa.OSFile(path("pyarrow-other-types.arrow"), "wb") as f, pa.ipc.new_file(f, others.schema) as file:
        file.write_table(others)
    flat_table = pa.Table.from_pylist([flat(r) for r in ROWS])
    pa.csv.write_csv(flat_table, path("pyarrow.csv"))


def polars_files():
    import polars as pl
    frame = pl.from_arrow(arrow_table())
    frame = frame.with_columns(pl.col("kind").cast(pl.Enum(["app", "tv", "web"])), pl.col("code").cast(pl.Categorical))
    frame.write_parquet(path("polars.parquet"))
    frame.write_ipc(path("polars.arrow"), compat_level=pl.CompatLevel.newest())
    frame.write_ipc_stream(path("polars-old.arrows"), compat_level=pl.CompatLevel.oldest(), compression="zstd")
    frame.write_ndjson(path("polars.ndjson"))
    flat_frame = pl.DataFrame([flat(r) for r in ROWS], infer_schema_length=None)
    flat_frame.write_csv(path("polars.csv"))


def duckdb_files():
    import duckdb
    con = duckdb.connect()
    con.execute("SET TimeZone = 'America/New_York'")
    table = arrow_table()
    con.execute("CREATE TYPE kinds AS ENUM ('app', 'tv', 'web')")
    con.execute("""CREATE TABLE t AS SELECT * REPLACE (kind::VARCHAR::kinds AS kind, key::UUID AS key,
        amount::DECIMAL(10, 2) AS amount) FROM "table" ORDER BY id""")
    con.execute(f"COPY t TO '{path('duckdb.parquet')}' (FORMAT parquet)")
    con.execute(f"COPY t TO '{path('duckdb-zstd-v2.parquet')}' (FORMAT parquet, CODEC zstd, PARQUET_VERSION v2)")
    con.execute(f"COPY t TO '{path('duckdb.json')}' (FORMAT json)")
    con.execute(f"COPY t TO '{path('duckdb-array.json')}' (FORMAT json, ARRAY true)")
    flat_table = """SELECT * EXCLUDE (ship) REPLACE (to_json(tags) AS tags, to_json(scores) AS scores,
        to_json(lines) AS lines), ship.city AS "ship.city", ship.to.zip AS "ship.to.zip" FROM t"""
    con.execute(f"COPY ({flat_table}) TO '{path('duckdb.csv')}' (FORMAT csv)")
    con.execute(f"COPY ({flat_table}) TO '{path('duckdb.tsv')}' (FORMAT csv, DELIMITER '\t', NULLSTR '\\N')")


def pandas_files():
    import pandas as pd
    frame = pd.DataFrame([flat(r) | {"amount": r["amount"] and float(r["amount"])} for r in ROWS])
    frame["n"] = pd.array([r["n"] for r in ROWS], dtype="Int64")
    # `small` is left to become a column of floats, as it does by itself beside missing values.
    frame["kind"] = frame["kind"].astype("category")
    frame.to_parquet(path("pandas.parquet"))
    frame.to_csv(path("pandas.csv"), index=False)
    frame.to_csv(path("pandas-index.csv"))
    frame.to_csv(path("pandas-semicolon.csv.gz"), index=False, sep=";", decimal=",", encoding="utf-16")
    # Local times become instants where they are written as numbers.
    # A number tells its unit by its size, which those around 1970 do not have.
    numbers = frame[~frame["id"].isin([2, 4])].drop(columns=["local"])
    numbers.to_json(path("pandas-epoch.ndjson"), orient="records", lines=True, date_unit="us")
    frame.to_json(path("pandas.json"), orient="records", date_format="iso", date_unit="us")
    for column in ["day", "time", "local"]:
        # Other units this writer takes for nanoseconds.
        unit = "datetime64[ns, UTC]" if column == "time" else "datetime64[ns]"
        frame[column] = pd.to_datetime(frame[column]).astype(unit)
    frame["kind"] = frame["kind"].astype(object)
    frame.to_parquet(path("fastparquet.parquet"), engine="fastparquet")
    # Such times are instants, whatever they were.
    instants = frame.drop(columns=["day", "local"])
    instants.to_parquet(path("fastparquet-int96.parquet"), engine="fastparquet", times="int96")


def spark_files():
    from pyspark.sql import SparkSession, functions as F, types as T
    spark = (SparkSession.builder.master("local[1]").config("spark.sql.session.timeZone", "America/New_York")
             .config("spark.ui.enabled", "false").getOrCreate())
    line = T.StructType([T.StructField("sku", T.StringType()), T.StructField("qty", T.LongType())])
    ship = T.StructType([T.StructField("city", T.StringType()),
                         T.StructField("to", T.StructType([T.StructField("zip", T.StringType())]))])
    of = {"id": T.LongType(), "event": T.StringType(), "time": T.TimestampType(), "local": T.TimestampNTZType(),
          "text": T.StringType(), "code": T.StringType(), "n": T.LongType(), "small": T.ShortType(),
          "amount": T.DecimalType(18, 4), "weight": T.DoubleType(), "gift": T.BooleanType(), "day": T.DateType(),
          "tags": T.ArrayType(T.StringType()), "scores": T.ArrayType(T.LongType()), "lines": T.ArrayType(line),
          "kind": T.StringType(), "key": T.StringType(), "ship": ship}
    schema = T.StructType([T.StructField(c, of[c]) for c in COLUMNS])
    rows = [tuple(str(r[c]) if c == "key" and r[c] else r[c] for c in COLUMNS) for r in ROWS]
    frame = spark.createDataFrame(rows, schema).coalesce(1)
    flat_frame = frame.select(*[F.to_json(c).alias(c) if c in ["tags", "scores", "lines"] else c
                                for c in COLUMNS if c != "ship"],
                              F.col("ship.city").alias("ship.city"), F.col("ship.to.zip").alias("ship.to.zip"))

    def keep(writer, name, kind):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "out")
            getattr(writer, kind)(out)
            part, = glob.glob(os.path.join(out, "part-*"))
            shutil.copy(part, path(name))

    keep(frame.write, "spark.parquet", "parquet")
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    keep(frame.write.option("compression", "zstd"), "spark-micros.parquet", "parquet")
    # Spark cuts off what is finer than a millisecond unless it is told not to.
    times = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"
    options = {"timestampFormat": times + "XXX", "timestampNTZFormat": times, "header": True}
    keep(frame.write.options(**options), "spark.json", "json")
    # Quotes inside quotes have a backslash, as Spark writes them.
    keep(flat_frame.write.options(**options), "spark.csv", "csv")
    keep(flat_frame.write.options(escape='"', compression="gzip", **options), "spark-quotes.csv.gz", "csv")
    spark.stop()


if __name__ == "__main__":
    reference()
    pyarrow_files()
    polars_files()
    duckdb_files()
    pandas_files()
    spark_files()
