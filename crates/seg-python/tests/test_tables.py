"""Tables of each library in and out. `SEG_LIBRARIES` names those that must be there."""

import importlib
import os
import random
from datetime import datetime, timedelta, timezone

import pytest

import seg

pa = pytest.importorskip("pyarrow")
AT = "2026-06-01T12:00:00Z"
SCHEMA = """
event_id = "order_id"

[attributes]
country = "text"
plan = "text"

[events.Order]
also = ["ordered"]
properties = { amount = "money", order_id = "text" }
"""
SEGMENTS = """
segment "Germans" include people whose country is "DE"
segment "Lapsed" include people who have not ordered in the past 30 days
segment "Spent" include people whose total amount of Order is at least 20
"""
LIBRARIES = os.environ.get("SEG_LIBRARIES", "pyarrow").split()


def program():
    return seg.compile(SCHEMA, {"a.seg": SEGMENTS}, timezone="Europe/Berlin")


def data(n=200):
    """People, orders, and who is in by brute force."""
    chance = random.Random(7)
    now = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
    people = [{"user": i, "country": chance.choice(["DE", "FR", None])} for i in range(n)]
    orders, seen = [], set()
    for k in range(5 * n):
        order = {
            "user": chance.randrange(n),
            "name": "Order",
            "ts": now - timedelta(hours=chance.randrange(1, 2400)),
            "amount": float(chance.choice([5, 10, 2.5])),
            "order_id": f"o{chance.randrange(4 * n)}",
        }
        orders.append(order)
    lapsed, spent = set(range(n)), dict.fromkeys(range(n), 0.0)
    for order in orders:
        # The first to arrive counts, of a person and an id.
        if (order["user"], order["order_id"]) in seen:
            continue
        seen.add((order["user"], order["order_id"]))
        if now - order["ts"] < timedelta(days=30):
            lapsed.discard(order["user"])
        spent[order["user"]] += order["amount"]
    expected = {
        "Germans": [str(p["user"]) for p in people if p["country"] == "DE"],
        "Lapsed": [str(i) for i in sorted(lapsed)],
        "Spent": [str(i) for i in range(n) if spent[i] >= 20],
    }
    return pa.Table.from_pylist(people), pa.Table.from_pylist(orders), expected


def as_library(library, table):
    if library == "pyarrow":
        return table
    module = importlib.import_module(library)
    if library == "polars":
        return module.from_arrow(table)
    if library == "pandas":
        return table.to_pandas()
    if library == "duckdb":
        return module.connect().from_arrow(table)
    if library == "datafusion":
        return module.SessionContext().from_arrow(table)
    raise AssertionError(library)


@pytest.mark.parametrize("library", LIBRARIES)
def test_tables_of_a_library_go_in_and_come_out(library):
    profiles, orders, expected = data()
    names = dict(id="user", event="name", time="ts")
    own = program()
    people = own.group(as_library(library, orders), as_library(library, profiles), at=AT, **names)
    members = own.evaluate(people, at=AT)
    for segment, ids in expected.items():
        assert sorted(members.members(segment), key=int) == ids, segment
    wide = pa.table(members)
    assert wide.column_names == ["profile_id", *own.segments] and len(wide) == len(members) == len(profiles)
    long = pa.table(members.long())
    assert long.column_names == ["segment", "profile_id"]
    assert len(long) == sum(members.counts().values())
    if library == "polars":
        polars = importlib.import_module("polars")
        assert polars.DataFrame(members)["Germans"].sum() == members.counts()["Germans"]
    if library == "duckdb":
        counted = importlib.import_module("duckdb").from_arrow(long).aggregate("count(*)").fetchall()
        assert counted == [(len(long),)]
    if library == "datafusion":
        context = importlib.import_module("datafusion").SessionContext()
        assert context.from_arrow(members).count() == len(wide)


def test_a_batch_that_was_grouped_goes_in_again():
    profiles, orders, expected = data()
    own = program()
    people = own.group(orders, profiles, id="user", event="name", time="ts", missing="ignore")
    stored = pa.table(people)
    again = own.evaluate(stored, at=AT)
    assert again.counts() == own.evaluate(people, at=AT).counts()
    for segment, ids in expected.items():
        assert sorted(again.members(segment), key=int) == ids
    with pytest.raises(seg.DataError, match="country") as caught:
        own.evaluate(stored.drop_columns(["country"]), at=AT)
    assert caught.value.column == "country"
    assert own.evaluate(stored.drop_columns(["country"]), at=AT, missing="ignore").counts()["Germans"] == 0


def test_missing_columns_are_named():
    profiles, orders, _ = data()
    own = program()
    names = dict(id="user", event="name", time="ts", at=AT)
    with pytest.raises(seg.DataError, match="`country`") as caught:
        own.group(orders, profiles.rename_columns(["user", "cuontry"]), **names)
    assert (caught.value.table, caught.value.column) == ("profiles", "country")
    with pytest.raises(seg.DataError, match="`ts`"):
        own.group(orders.rename_columns(["user", "name", "when", "amount", "order_id"]), profiles, **names)
    with pytest.raises(seg.DataError, match="profiles"):
        own.group(orders, **names)
    people = own.group(orders, profiles.rename_columns(["user", "cuontry"]), **names, missing="ignore")
    assert any(problem["kind"] == "absent-column" for problem in people.report["problems"])


def test_merged_ids_are_one_person():
    profiles, orders, _ = data(10)
    merges = pa.table({"from": ["1"], "into": ["0"]})
    own = program()
    people = own.group(orders, profiles, merges=merges, id="user", event="name", time="ts", missing="ignore")
    assert len(people) == 9


def test_a_stream_cut_anywhere_gives_the_same():
    profiles, orders, expected = data()
    rows = [
        {"user": p["user"], "name": None, "ts": None, "profile": {"country": p["country"], "plan": None}}
        for p in profiles.to_pylist()
    ]
    rows += [{**order, "profile": None} for order in orders.to_pylist()]
    rows.sort(key=lambda row: row["user"])
    kinds = pa.schema(
        [("user", pa.int64()), ("name", pa.string()), ("ts", pa.timestamp("us", "UTC")), ("amount", pa.float64()),
         ("order_id", pa.string()), ("profile", pa.struct([("country", pa.string()), ("plan", pa.string())]))]
    )
    table = pa.Table.from_pylist(rows, schema=kinds)
    chance = random.Random(3)
    for most in (1, 17, 5000):
        stream = program().stream(at=AT, id="user", event="name", time="ts", profile="profile", part_rows=most)
        found, at = [], 0
        while at < len(table):
            n = chance.randrange(1, most + 1)
            found += stream.push(table.slice(at, n))
            at += n
        found += [last for last in [stream.finish()] if last is not None]
        for segment, ids in expected.items():
            assert sorted((i for part in found for i in part.members(segment)), key=int) == ids, (segment, most)
        assert stream.report["rows"] == len(table)


def test_times_without_a_zone_are_of_the_project():
    own = program()
    # Midnight in Berlin is 22:00 in UTC the day before.
    local = pa.array([datetime(2026, 5, 2, 14, 0)], pa.timestamp("us"))
    events = pa.table({"user": ["a"], "name": ["Order"], "ts": local, "amount": [1.0], "order_id": ["1"]})
    people = own.group(events, id="user", event="name", time="ts", missing="ignore")
    assert people.last_event == datetime(2026, 5, 2, 12, 0, tzinfo=timezone.utc)
