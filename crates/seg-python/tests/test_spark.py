"""Spark against `seg run` on the same files: batches of few rows, so that people are cut."""

import csv
import json
import os
import random
import subprocess
import sys
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import seg

pytest.importorskip("pyspark")
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import seg.spark

ROOT = Path(os.environ["SEG_ROOT"])
ROW_INDEX = ["_metadata.file_path", "_metadata.row_index"]
UTC = timezone.utc


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {
        # Neither the zone of the data nor that of anything else.
        "spark.sql.session.timeZone": "Pacific/Auckland",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "997",
        "spark.sql.shuffle.partitions": "4",
        "spark.default.parallelism": "4",
        "spark.driver.host": "127.0.0.1",
        # A short life: what compiles least is quickest.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.driver.memory": "1500m",
        "spark.ui.enabled": "false",
        "spark.local.dir": str(tmp_path_factory.mktemp("local")),
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
    }
    builder = SparkSession.builder.master(os.environ.get("SEG_SPARK_MASTER", "local[2]"))
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def run(project, folder, at=None):
    """Members and winners by the command, which is the reference, and what else it tells."""
    members, winners = folder / "members.csv", folder / "winners.csv"
    has_order = "prefer" in "".join(path.read_text() for path in project.glob("*.seg"))
    args = ["run", str(project), "--members", str(members), "--format", "json", "--max-bad", "100%"]
    args += ["--at", at] if at else []
    args += ["--winners", str(winners)] if has_order else []
    done = subprocess.run([os.environ["SEG_COMMAND"], *args], check=True, capture_output=True, text=True)
    rows = {tuple(row) for row in csv.reader(members.open())} - {("segment", "profile_id")}
    won = {tuple(row) for row in csv.reader(winners.open())} - {("profile_id", "segment")} if has_order else None
    return rows, won, json.loads(done.stdout)


def check(found, expected, wide=False):
    """Long or wide, the members are those of the command."""
    rows, won, told = expected
    if wide:
        table = found.table.collect()
        assert {(name, row[0]) for row in table for name in row.asDict() if row[name] is True} == rows
        assert len(table) == len(found)
    else:
        assert found.table.columns == ["segment", "profile_id"]
        table = [tuple(row) for row in found.table.collect()]
        assert set(table) == rows and len(table) == len(rows)
    assert found.counts() == {of["segment"]: of["members"] for of in told["segments"]}
    assert len(found) == told["people"]
    assert found.broken == told["sizes"]["broken"] and found.not_judged == told["sizes"]["not_judged"]
    assert (found.winners is None) == (won is None)
    if won is not None:
        assert {tuple(row) for row in found.winners.collect()} == won


def as_parquet(source, target, types=None):
    options = pa.csv.ConvertOptions(column_types=types or {}, strings_can_be_null=True)
    pq.write_table(pa.csv.read_csv(source, convert_options=options), target)
    return str(target)


def all_texts(source):
    import gzip

    with gzip.open(source, "rt") as lines:
        return dict.fromkeys(next(csv.reader(lines)), pa.string())


def test_a_shop_with_devices_event_ids_and_winners(spark, tmp_path):
    """Ids that are merged, repeated events, times as texts, an order of precedence."""
    project = ROOT / "examples/d2c-store"
    program, expected = seg.load(project), run(project, tmp_path)
    data = project / "data"
    tables = {
        name: as_parquet(data / f"{name}.csv.gz", tmp_path / f"{name}.parquet", all_texts(data / f"{name}.csv.gz"))
        for name in ("people", "events", "sign-ins")
    }
    named = dict(id="profile_id", time="happened_at", merge_from="device_id", merge_into="profile_id")
    arguments = dict(merges=tables["sign-ins"], at=expected[2]["at"], **named)
    with seg.spark.members(
        program, tables["events"], tables["people"], order=ROW_INDEX, partitions=3, everything=True, **arguments
    ) as found:
        check(found, expected)
        told = {problem["kind"]: problem["count"] for problem in expected[2]["data"]["problems"]}
        assert {p["kind"]: p["count"] for p in found.report["problems"]} == told
        assert found.report["events"] == expected[2]["data"]["events"]
        assert "<table>" in found._repr_html_() and "message_id" in found._repr_html_()
    # Without an order, and only what is needed: events of one instant go by their ids.
    frames = [spark.read.parquet(tables[name]) for name in ("events", "people")]
    with seg.spark.members(program, *frames, wide=True, **arguments) as found:
        check(found, expected, wide=True)


def test_a_shop_with_many_rows(spark, tmp_path):
    """400,000 lines of invoices, typed, of which Parquet passes over what decides nothing."""
    project = ROOT / "examples/online-retail"
    program, expected = seg.load(project), run(project, tmp_path)
    types = {"timestamp": pa.timestamp("us", "UTC"), "profile_id": pa.int64(), "unit_price": pa.decimal128(12, 4)}
    types |= dict.fromkeys(["invoice_no", "stock_code"], pa.string())
    events = as_parquet(project / "data/events.csv.gz", tmp_path / "events.parquet", types)
    profiles = as_parquet(project / "data/profiles.csv.gz", tmp_path / "profiles.parquet")
    arguments = dict(at=expected[2]["at"], id="profile_id", time="timestamp")
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "9973")
    try:
        with pytest.warns(seg.spark.TiesWarning):
            found = seg.spark.members(program, events, profiles, **arguments)
        with found:
            check(found, expected)
            rows_read = found.report["rows"]
    finally:
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "997")
    assert rows_read < 450_000
    assert "PushedFilters: [Or(" in found._raw._jdf.queryExecution().toString()


# Generated people: a history, ids that join, event ids, structs, times in three ways.

SCHEMA = """
event_id = "order_id"

[attributes]
country = "text"
plan = { type = "text", history = true }

[events.Order]
also = ["ordered"]
properties = { amount = "money", order_id = "text" }

[events.Visit]
also = ["visited"]
properties = { "context.platform" = "text", page = "text" }

[events.Ping]
properties = { }
"""
SEGMENTS = """
segment "Germans"
    expect between 1 and 2 people
    include people whose country is "DE"
segment "Lapsed"
    expect at most 1% of people in segment "Germans" too
    expect size to change by at most 30% a day
    include people who have not ordered in the past 30 days
segment "Spent" include people whose total amount of Order in the past 60 days is at least 20
segment "Came up" include people whose plan changed from "free" to "pro" in the past 60 days
segment "Pro" include people whose plan is "pro"
segment "Phones" include people who did Visit in the past 10 days where context.platform is "phone"
segment "Last at prices" include people whose last Visit had page "prices"
segment "Everybody" include everyone
"""
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
AT = "2026-06-01T12:00:00Z"


def made(folder, n=300, seed=5):
    """A project with its data in Parquet, and the tables."""
    chance = random.Random(seed)
    zone = ZoneInfo("Europe/Berlin")
    ago = lambda hours: NOW - timedelta(hours=chance.randrange(-48, hours), minutes=15 * chance.randrange(4))
    people = []
    for k in range(n):
        for _ in range(chance.choice([1, 1, 2, 3])):
            dated = ago(3000) if chance.random() < 0.8 else None
            country, plan = chance.choice(["DE", "FR", None]), chance.choice(["free", "pro", None])
            people.append(dict(user=k, since=dated, country=country, plan=plan))
    # Two that no row is about but events, one of which decides nothing.
    who = lambda: float(chance.randrange(n + 40))
    events = [
        dict(user=who(), name="Order", ts=ago(2400), amount=chance.choice([5.0, 10.0, 2.5]),
             order_id=f"o{chance.randrange(3 * n)}")
        for _ in range(4 * n)
    ]
    visits = [
        dict(user=who(), name="Visit", ts=ago(700), context=dict(platform=chance.choice(["phone", "desk"]), ip="x"),
             page=chance.choice(["prices", "home"]))
        for _ in range(5 * n)
    ]
    pings = [dict(user=float(n + 50 + k), name="Ping", ts=ago(900)) for k in range(20)]
    wrong = [dict(user=None, name="Order", ts=ago(10)), dict(user=1.0, name=None, ts=ago(10)),
             dict(user=2.0, name="Order", ts=None), dict(user=3.0, name="Odrer", ts=ago(10))]
    events += visits + pings + wrong
    chance.shuffle(events)
    joined = [(chance.randrange(n), chance.randrange(n)) for _ in range(n // 6)] + [(7, 8), (8, 9), (9, 7)]
    local = lambda at: None if at is None else at.astimezone(zone).replace(tzinfo=None)
    tables = {
        "people": pa.Table.from_pylist(
            [{**row, "since": local(row["since"])} for row in people],
            pa.schema([("user", pa.int64()), ("since", pa.timestamp("us")), ("country", pa.string()),
                       ("plan", pa.string())]),
        ),
        "events": pa.Table.from_pylist(
            events,
            pa.schema([("user", pa.float64()), ("name", pa.string()), ("ts", pa.timestamp("us", "UTC")),
                       ("amount", pa.float64()), ("order_id", pa.string()),
                       ("context", pa.struct([("platform", pa.string()), ("ip", pa.string())])), ("page", pa.string())]),
        ),
        "merges": pa.table({"from": [str(a) for a, _ in joined], "into": [f"{b}.0" for _, b in joined]}),
    }
    project = folder / "made"
    project.mkdir()
    for name, table in tables.items():
        pq.write_table(table, project / f"{name}.parquet", row_group_size=500)
    (project / "schema.toml").write_text(SCHEMA)
    (project / "a.seg").write_text(SEGMENTS)
    (project / "seg.toml").write_text(
        'name = "made"\ntimezone = "Europe/Berlin"\n'
        '[data.profiles]\nfiles = ["people.parquet"]\nid = "user"\ntime = "since"\n'
        '[data.events]\nfiles = ["events.parquet"]\nid = "user"\nevent = "name"\ntime = "ts"\n'
        '[data.merges]\nfiles = ["merges.parquet"]\nfrom = "from"\ninto = "into"\n'
    )
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return made(tmp_path_factory.mktemp("generated"))


def tables(project):
    return [str(project / f"{name}.parquet") for name in ("events", "people")], str(project / "merges.parquet")


NAMES = dict(id="user", event="name", time="ts", profile_time="since", order=ROW_INDEX, profile_order=ROW_INDEX)


@pytest.mark.parametrize("wide", [False, True])
def test_generated_people(spark, project, tmp_path, wide):
    program, expected = seg.load(project), run(project, tmp_path, AT)
    paths, merges = tables(project)
    found = seg.spark.members(program, *paths, merges=merges, at=AT, wide=wide, partitions=5, **NAMES)
    with found:
        check(found, expected, wide)
        lost = {p["kind"]: p["count"] for p in found.report["problems"]}
        assert (lost["missing-id"], lost["missing-event"], lost["impossible-time"]) == (1, 1, 1)
        assert found.report["rows_lost"] == 3
    # Those whose events decide nothing exist, unless all are said to be listed.
    if not wide:
        with seg.spark.members(program, *paths, merges=merges, at=AT, listed=True, **NAMES) as listed:
            assert len(listed) < len(found)


def test_times_without_a_zone_and_texts(spark, project, tmp_path):
    """The session's zone is of no account, whatever times look like."""
    program, expected = seg.load(project), run(project, tmp_path, AT)
    paths, merges = tables(project)
    events, people = (spark.read.parquet(path) for path in paths)
    keys = [F.col(name).alias(f"k{at}") for at, name in enumerate(ROW_INDEX)]
    events, people = events.select("*", *keys), people.select("*", *keys)
    berlin = F.convert_timezone(F.lit("UTC"), F.lit("Europe/Berlin"), F.to_utc_timestamp("ts", "Pacific/Auckland").cast("timestamp_ntz"))
    iso = F.date_format("ts", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX")
    own = NAMES | dict(order=["k0", "k1"], profile_order=["k0", "k1"])
    for times in (berlin, iso):
        frame = events.withColumn("ts", times)
        with seg.spark.members(program, frame, people, merges=merges, at=AT, **own) as found:
            check(found, expected)


def test_grouped_people_are_asked_without_a_shuffle(spark, project, tmp_path):
    program = seg.load(project)
    paths, merges = tables(project)
    grouped = seg.spark.group(program, *paths, merges=merges, partitions=3, **NAMES)
    target = str(tmp_path / "people")
    grouped.table.write.parquet(target)
    told = run(project, tmp_path, AT)[2]["data"]
    assert grouped.report["events"] == told["events"] and grouped.report["profiles"] == told["profiles"]
    for at in (AT, "2026-05-10T06:00:00Z"):
        expected = run(project, tmp_path, at)
        with seg.spark.members(program, people=target, at=at) as found:
            check(found, expected)
            plan = found._raw._jdf.queryExecution().toString()
            assert "Exchange" not in plan.split("== Physical Plan ==")[-1]
    with seg.spark.members(program, people=spark.read.parquet(target), at=AT, wide=True) as found:
        check(found, run(project, tmp_path, AT), wide=True)
    # It is a table that every library takes.
    whole = program.evaluate(pq.read_table(target), at=AT)
    assert whole.counts() == found.counts()


def test_one_person_is_as_large_as_they_are(spark, tmp_path):
    program = seg.compile(
        "[attributes]\n[events.Order]\n",
        {"a.seg": 'segment "Many" include people who did Order at least 1_100_000 times\n'
                  'segment "More" include people who did Order at least 1_100_001 times\n'
                  'segment "Few" include people who did Order at most 3 times\n'},
    )
    n = 1_100_000
    events = spark.range(n + 30).select(
        F.when(F.col("id") < n, F.lit("b")).otherwise(F.concat(F.lit("a"), F.col("id") % 10)).alias("id"),
        F.lit("Order").alias("event"),
        F.timestamp_seconds(1_700_000_000 + F.col("id")).alias("time"),
    )
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "50000")
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = seg.spark.members(program, events, at=AT, partitions=2)
    finally:
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "997")
    with found:
        assert found.counts() == {"Many": 1, "More": 0, "Few": 10}
        assert found.large == [("b", n)]
        assert any("more than a million" in str(warning.message) for warning in told)


def test_sizes_are_compared_with_those_before(spark, project):
    program = seg.load(project)
    paths, merges = tables(project)
    before = {"at": "2026-05-31T12:00:00Z", "sizes": {"Lapsed": 10}}
    with seg.spark.members(program, *paths, merges=merges, at=AT, before=before, **NAMES) as found:
        assert any("went from 10" in text for text in found.broken) and not found.not_judged


def test_what_cannot_be_is_refused_before_anything_runs(spark, project, tmp_path):
    program = seg.load(project)
    (events, people), merges = tables(project)
    frame = spark.read.parquet(events)
    with pytest.raises(seg.DataError, match="`amount`") as caught:
        seg.spark.members(program, frame.withColumnRenamed("amount", "amout"), people, at=AT, **NAMES)
    assert (caught.value.table, caught.value.column) == ("events", "amount")
    with pytest.raises(seg.DataError, match="events: there is no column `when`") as caught:
        seg.spark.members(program, frame, people, at=AT, **(NAMES | dict(time="when")))
    assert caught.value.column == "when"
    with pytest.raises(seg.DataError, match="rows could not be read"):
        seg.spark.members(program, frame, people, at=AT, max_bad=0, **NAMES)
    with pytest.raises(seg.SegError, match="neither"):
        seg.spark.members(program, at=AT)
    with pytest.raises(seg.SegError, match="offset"):
        seg.spark.members(program, frame, people, at="2026-06-01T12:00:00", **NAMES)


def test_a_job_is_submitted(spark, project, tmp_path):
    """The example job, as a cluster runs it."""
    import pyspark

    (events, people), merges = tables(project)
    target = tmp_path / "out"
    submit = Path(pyspark.__file__).parent / "bin/spark-submit"
    master = ["--master", os.environ.get("SEG_SPARK_MASTER", "local[2]"), "--conf", "spark.ui.enabled=false"]
    job = ROOT / "examples/spark/members.py"
    args = ["--project", str(project), "--events", events, "--profiles", people, "--merges", merges, "--at", AT,
            "--id", "user", "--event", "name", "--time", "ts", "--profile-time", "since", "--out", str(target)]
    environment = os.environ | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run([str(submit), *master, str(job), *args], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    rows, _, told = run(project, tmp_path, AT)
    written = pq.read_table(target)
    assert {tuple(row.values()) for row in written.select(["segment", "profile_id"]).to_pylist()} == rows
    assert f"{told['people']} people" in done.stdout


def test_the_chapter_of_the_book(spark, capsys):
    """Its code prints what stands behind it."""
    code, expected, fence = [], [], ""
    for line in (ROOT / "docs/book/src/spark.md").read_text().splitlines():
        if line.startswith("```"):
            fence = line[3:] if not fence else ""
        elif fence:
            (code if fence == "python" else expected).append(line)
    exec("\n".join(code), {"spark": spark})
    assert capsys.readouterr().out.splitlines() == expected
