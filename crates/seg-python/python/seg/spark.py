"""Segments over tables of Spark: who is in which, decided by the same native code as everywhere.

    found = seg.spark.members(program, events, profiles, at=at, id="user_id", time="ts")
    found.table.write.parquet("members")      # a row a membership: segment, profile_id

Rows go to the partition of their person, are sorted there, and a stream in Rust takes them as they
come. Executors need this package and no files. `group` keeps people with their events, a row a
person: a table that `members` takes later without moving a row.

It needs pyspark 3.5 or later and pyarrow, and neither is imported before a function is called.
"""

# Neither is needed where types are checked.
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from typing import TYPE_CHECKING, Any, Literal, Union, cast
from zoneinfo import ZoneInfo

from ._seg import DataError, Program, SegError, merged_into

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import Column, DataFrame, SparkSession

    Frame = Union[DataFrame, str, os.PathLike[str], Sequence[str]]
    Order = Union[str, Column, Sequence[Union[str, Column]]]

__all__ = ["Grouped", "Members", "TiesWarning", "group", "members"]

# The columns of the one table of rows, beside properties, which have the names of the schema.
_PERSON, _ID, _EVENT, _TIME, _PROFILE = "$person", "$id", "$event", "$time", "$profile"
_ORDER, _PROFILE_ORDER = "$order", "$profile_order"
# What a row of results is, where it is not a person or a membership.
_KIND, _WINNER, _SUMS = "$kind", "$winner", "$sums"
_IS_MEMBER, _IS_WINNER, _IS_SUMS = 0, 1, 2
_ANY_INSTANT = "2000-01-01T00:00:00Z"
# How far the clocks of a zone may be from those of another, and more.
_DAY = timedelta(days=1)


class TiesWarning(UserWarning):
    """Events of one instant may stand in another order than in the files they came from."""


class Members:
    """Who is in which segment: a table of Spark, with what was found on the way.

    Its rows are kept on the executors until `unpersist`, or until the `with` that it was opened
    with ends.
    """

    def __init__(self, raw: DataFrame, wide: bool, has_winners: bool, at: str, summed: dict[str, Any]) -> None:
        self._raw, self._wide, self._has_winners, self._summed = raw, wide, has_winners, summed
        #: The instant as of which the segments were evaluated.
        self.at = at

    @property
    def table(self) -> DataFrame:
        """A row a membership, of `segment` and `profile_id`; with `wide=True` a row a person who
        exists, of `profile_id` and a boolean a segment. Ids are texts."""
        from pyspark.sql import functions as F

        if self._wide:
            return self._raw.where(F.col(_SUMS).isNull()).drop(_SUMS, _WINNER)
        return self._raw.where(F.col(_KIND) == _IS_MEMBER).drop(_KIND)

    @property
    def winners(self) -> DataFrame | None:
        """The segment that each person goes to, of `profile_id` and `segment`, where the project
        has an order of precedence; None without one."""
        from pyspark.sql import functions as F

        if not self._has_winners:
            return None
        if self._wide:
            rows = self._raw.where(F.col(_WINNER).isNotNull())
            return rows.select("profile_id", F.col(_WINNER).alias("segment"))
        return self._raw.where(F.col(_KIND) == _IS_WINNER).select("profile_id", "segment")

    def counts(self) -> dict[str, int]:
        """How many people are in each segment."""
        return cast("dict[str, int]", dict(self._summed["sizes"]))

    @property
    def report(self) -> dict[str, Any]:
        """What was read, and what was wrong with it, over all tasks: `rows`, `profiles`, `events`,
        `rows_lost` and `problems`. Rows that decide nothing were not read, so not counted."""
        return cast("dict[str, Any]", self._summed["report"])

    @property
    def broken(self) -> list[str]:
        """Which sizes are not as segments expect them, as `seg run` tells it."""
        return cast("list[str]", self._summed["broken"])

    @property
    def not_judged(self) -> list[str]:
        """Which expected sizes could not be judged, and why."""
        return cast("list[str]", self._summed["not_judged"])

    @property
    def large(self) -> list[tuple[str, int]]:
        """Who has more than a million rows, and how many: one task holds all rows of a person."""
        return cast("list[tuple[str, int]]", self._summed["large"])

    @property
    def last_event(self) -> datetime | None:
        """The time of the latest event that was read."""
        return cast("datetime | None", self._summed["last_event"])

    def unpersist(self) -> None:
        """Lets the rows go that executors keep. What was counted stays."""
        self._raw.unpersist()

    def __len__(self) -> int:
        """How many people exist at the instant."""
        return cast(int, self._summed["people"])

    def __enter__(self) -> Members:
        return self

    def __exit__(self, *_: object) -> None:
        self.unpersist()

    def __repr__(self) -> str:
        return f"<seg.spark.Members: {len(self)} people, {len(self.counts())} segments, at {self.at}>"

    def _repr_html_(self) -> str:
        n_people = len(self)
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{n}</td><td>{100 * n / n_people if n_people else 0:.1f} %</td></tr>"
            for name, n in self.counts().items()
        )
        head = "<thead><tr><th>segment</th><th>people</th><th>share</th></tr></thead>"
        told = [problem["message"] for problem in self.report["problems"]] + self.broken + self.not_judged
        notes = "".join(f"<li>{escape(text)}</li>" for text in told)
        notes = f"<ul>{notes}</ul>" if notes else ""
        return f"<table>{head}<tbody>{rows}</tbody></table><p>{n_people} people, {escape(self.at)}</p>{notes}"


class Grouped:
    """People with their events, a row a person: a table of Spark in the layout of a profile batch.

    Nothing is done before the table is written or asked for.
    """

    def __init__(self, raw: DataFrame, program: Program) -> None:
        from pyspark.sql import Observation
        from pyspark.sql import functions as F

        self._program = program
        self._observation = Observation("seg")
        sums = F.when(F.col(_SUMS).isNotNull(), F.concat_ws("\t", F.col(_SUMS), F.col(_KIND)))
        told = F.concat_ws("\n", F.collect_list(sums)).alias("sums")
        observed = raw.observe(self._observation, told)
        #: The people: an id, attributes, and for each event a list of structs.
        self.table: DataFrame = observed.where(F.col(_SUMS).isNull()).drop(_SUMS, _KIND)

    @property
    def report(self) -> dict[str, Any]:
        """What was read, and what was wrong with it, once the table was written or counted; until
        then this waits."""
        # A task that ran twice tells the same twice.
        told = cast(str, self._observation.get["sums"])
        parts: dict[str, str] = {}
        for line in told.splitlines():
            text, _, partition = line.partition("\t")
            parts[partition] = text
        summed = self._program.summed(list(parts.values()), at=_ANY_INSTANT)
        return cast("dict[str, Any]", summed["report"])


def members(
    program: Program,
    events: Frame | None = None,
    profiles: Frame | None = None,
    *,
    at: str | datetime,
    people: Frame | Grouped | None = None,
    id: str = "id",
    event: str = "event",
    time: str = "time",
    profile_id: str | None = None,
    profile_time: str | None = None,
    merges: Frame | None = None,
    merge_from: str = "from",
    merge_into: str = "into",
    order: Order | None = None,
    profile_order: Order | None = None,
    partitions: int | None = None,
    wide: bool = False,
    listed: bool = False,
    everything: bool = False,
    missing: Literal["error", "ignore"] = "error",
    max_bad: float = 0.01,
    before: dict[str, Any] | None = None,
    spark: SparkSession | None = None,
) -> Members:
    """Who is in which segment as of an instant, of tables of Spark or paths of Parquet.

    `events` has a row an event with the columns `id`, `event` (its name) and `time`, and a column a
    property; `profiles` a row a person with `profile_id` (`id` where it is not said) and a column an
    attribute, and with `profile_time` a row for each time at which something changed; `merges` a row
    for two ids of one person. Or there are `people` alone, a table that `group` made, of which no row
    moves.

    Only columns and rows that can matter are read. People whose events all decide nothing still
    exist, so their ids are looked for in all events; `listed=True` says that everybody has a row in
    `profiles` and that no event is later than `at`, and spares that. `everything=True` reads all rows, so that the report tells of all.

    A shuffle forgets in which order rows came. Where events of one instant, or repeated ones, stand
    in another order than in files, an answer may differ: `order` names columns that say it, such as
    `["_metadata.file_path", "_metadata.row_index"]` of Parquet, and `profile_order` those of
    profiles. Without, events of one instant go by the schema's event id, then by their name and
    properties, the same in every run; where there is no event id a `TiesWarning` is given.

    `partitions` is into how many parts people are cut; Spark decides where nobody says. The job runs
    when this is called. Raises `DataError` for a column that is read and not there, unless `missing`
    is `"ignore"`, and where more than `max_bad` of the rows could not be read. `before` is what an
    earlier run found, `{"at": …, "sizes": {…}}`, for segments that expect how much their size changes.
    """
    instant = at if isinstance(at, str) else at.isoformat()
    needs = program.columns(at)
    texts = program.texts()
    if people is not None:
        if events is not None or profiles is not None or merges is not None:
            raise SegError("`people` are grouped already; leave out `events`, `profiles` and `merges`")
        rows = _people(program, people, at, needs, missing, spark)

        def evaluate(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
            return _evaluate_people(batches, texts, instant, wide, missing)

    else:
        source = _Source(program, at, needs, missing, spark)
        source.add_events(events, id, event, time, order, whole=everything, listed=listed)
        source.add_profiles(profiles, profile_id or id, profile_time, profile_order)
        source.merge(merges, merge_from, merge_into)
        rows, columns = source.rows(partitions)

        def evaluate(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
            return _evaluate_rows(batches, texts, instant, wide, missing, columns)

    raw = _mapped(rows, evaluate, _result_schema(program, wide)).persist()
    try:
        summed = program.summed(_sums(raw, wide), at=at, before=before)
        _refuse_lost(summed["report"], max_bad)
    except BaseException:
        raw.unpersist()
        raise
    if summed["large"]:
        who = ", ".join(f"{person} ({n:,} rows)" for person, n in summed["large"][:3])
        warnings.warn(f"one task holds all rows of a person, and some have more than a million: {who}", stacklevel=2)
    return Members(raw, wide, needs["winners"], instant, summed)


def group(
    program: Program,
    events: Frame | None = None,
    profiles: Frame | None = None,
    *,
    id: str = "id",
    event: str = "event",
    time: str = "time",
    profile_id: str | None = None,
    profile_time: str | None = None,
    merges: Frame | None = None,
    merge_from: str = "from",
    merge_into: str = "into",
    order: Order | None = None,
    profile_order: Order | None = None,
    partitions: int | None = None,
    missing: Literal["error", "ignore"] = "error",
    spark: SparkSession | None = None,
) -> Grouped:
    """Everything that the schema has of people, a row a person: the table to keep where the same
    events are asked about again and again. The arguments are those of `members`.

        seg.spark.group(program, events, profiles, id="user_id").table.write.parquet("people")
        seg.spark.members(program, people="people", at=at)

    Everything is taken, so that other segments of the same schema may be asked later, as of any
    instant. Nothing runs before the table is written.
    """
    source = _Source(program, None, program.columns(), missing, spark)
    source.add_events(events, id, event, time, order, whole=True, listed=True)
    source.add_profiles(profiles, profile_id or id, profile_time, profile_order)
    source.merge(merges, merge_from, merge_into)
    rows, columns = source.rows(partitions)
    texts = program.texts()

    def grouped(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        return _group_rows(batches, texts, missing, columns)

    from pyspark.sql.pandas.types import from_arrow_schema

    schema = _arrow(program.grouping(**columns).empty).schema
    schema = schema.append(_arrow_field(_SUMS)).append(_arrow_field(_KIND))
    return Grouped(_mapped(rows, grouped, from_arrow_schema(schema)), program)


class _Source:
    """Events and profiles as one table of rows, with what is read of them and nothing else."""

    def __init__(
        self,
        program: Program,
        at: str | datetime | None,
        needs: dict[str, Any],
        missing: Literal["error", "ignore"],
        spark: SparkSession | None,
    ) -> None:
        self._program, self._needs, self._missing, self._spark = program, needs, missing, spark
        # What segments ask about; of which instant does not matter for columns.
        self._asked = program.reads(at or _ANY_INSTANT)
        self._events: DataFrame | None = None
        self._profiles: DataFrame | None = None
        self._rest: DataFrame | None = None
        self._merged: DataFrame | None = None

    def add_events(
        self, events: Frame | None, id: str, event: str, time: str, order: Order | None, *, whole: bool, listed: bool
    ) -> None:
        from pyspark.sql import functions as F

        if events is None:
            return
        frame = _frame(events, self._spark)
        self._spark = frame.sparkSession
        special = [_existing(frame, "events", name) for name in (id, event, time)]
        names = dict.fromkeys(name for read in self._needs["events"].values() for name in read["properties"])
        named = [(name, _column(frame, name)) for name in names]
        self._refuse_missing("events", [name for name, column in named if column is None])
        properties = [column.alias(name) for name, column in named if column is not None]
        ordered = _ordered(order, _ORDER)
        own_id = _as_id(frame, special[0]).alias(_ID)
        # Of what is said before rows are selected Parquet knows the columns.
        named_event = F.coalesce(special[1].cast("string"), F.lit("")).alias(_EVENT)
        time_of = special[2].alias(_TIME)
        needed = frame
        if not whole:
            is_needed = self._is_needed(special[1], special[2], frame.select(time_of).schema[_TIME].dataType.typeName())
            needed = frame.where(is_needed)
            if not listed:
                self._rest = self._proofs(frame.where(~is_needed).select(own_id, named_event, time_of))
        self._events = needed.select(own_id, named_event, time_of, *properties, *ordered)
        if not ordered and self._needs["event_id"] not in names:
            message = "a shuffle forgets in which order events of one instant came, and there is no event id to order \
them by; `order` names columns that say it"
            warnings.warn(message, TiesWarning, stacklevel=3)

    def add_profiles(self, profiles: Frame | None, id: str, time: str | None, order: Order | None) -> None:
        from pyspark.sql import functions as F

        if profiles is None:
            return
        frame = _frame(profiles, self._spark)
        self._spark = frame.sparkSession
        named = [(name, _column(frame, name)) for name in self._needs["attributes"]]
        self._refuse_missing("profiles", [name for name, column in named if column is None])
        attributes = [column.alias(name) for name, column in named if column is not None]
        own = _existing(frame, "profiles", id)
        self._profiles = frame.select(
            _as_id(frame, own).alias(_ID),
            *([_existing(frame, "profiles", time).alias(_TIME)] if time else []),
            *([F.struct(*attributes).alias(_PROFILE)] if attributes else []),
            *_ordered(order, _PROFILE_ORDER),
        )

    def merge(self, merges: Frame | None, merge_from: str, merge_into: str) -> None:
        """Finds who is one person. The records come to the driver, and who they join goes back."""
        if merges is None:
            return
        frame = _frame(merges, self._spark)
        self._spark = frame.sparkSession
        names = [(merge_from, "from"), (merge_into, "into")]
        pairs = frame.select(*(_as_id(frame, _existing(frame, "merges", name)).alias(to) for name, to in names))
        found = _arrow(merged_into(_collected(pairs)))
        ids = found.rename_columns([_ID, _PERSON])
        spark = self._spark
        self._merged = (
            spark.createDataFrame(ids)
            if hasattr(pairs, "toArrow")
            else spark.createDataFrame(ids.to_pylist(), f"`{_ID}` string, `{_PERSON}` string")
        )

    def rows(self, partitions: int | None) -> tuple[DataFrame, dict[str, Any]]:
        """Rows in the partition of their person and side by side, and what their columns are."""
        from pyspark.sql import functions as F

        events, profiles, rest = self._events, self._profiles, self._rest
        tables = [table for table in (events, rest, profiles) if table is not None]
        if not tables:
            raise SegError("there are neither `events` nor `profiles`")
        if profiles is None and self._asked["attributes"] and self._missing == "error":
            name = self._asked["attributes"][0]
            raise _data_error("profiles", name, f"there is no table of profiles, and the segments read `{name}`")
        if events is not None and profiles is not None and _TIME in profiles.columns:
            types = events.schema[_TIME].dataType, profiles.schema[_TIME].dataType
            if types[0] != types[1]:
                events, profiles = _with_text_times(events), _with_text_times(profiles)
                rest = None if rest is None else _with_text_times(rest)
        tables = [table for table in (events, rest, profiles) if table is not None]
        rows = tables[0]
        for table in tables[1:]:
            rows = rows.unionByName(table, allowMissingColumns=True)
        for name in (_EVENT, _TIME):
            if name not in rows.columns:
                rows = rows.withColumn(name, F.lit(None).cast("string"))
        columns = dict(id=_ID, event=_EVENT, time=_TIME, missing=self._missing)
        if _PROFILE in rows.columns:
            columns["profile"] = _PROFILE
        person = _ID
        if self._merged is not None:
            rows = rows.join(self._merged, _ID, "left").withColumn(_PERSON, F.coalesce(_PERSON, _ID))
            person = _PERSON
            columns.update(id=_PERSON, own_id=_ID)
        # Rows without an id are told of, and need not all come to one task.
        key = F.coalesce(F.col(person), F.xxhash64(_EVENT, _TIME).cast("string"))
        rows = rows.repartition(key) if partitions is None else rows.repartition(partitions, key)
        rows = rows.sortWithinPartitions(*(_quoted(name) for name in self._sorting(rows, person)))
        return rows.drop(_ORDER, _PROFILE_ORDER), columns

    def _sorting(self, rows: DataFrame, person: str) -> list[str]:
        """Columns that bring rows of a person into one order, whatever the order in which they come."""
        event_id = self._needs["event_id"]
        first = [name for name in (_PROFILE_ORDER, _ORDER) if name in rows.columns]
        first += [_TIME, *([event_id] if event_id in rows.columns else []), _EVENT]
        rest = [field.name for field in rows.schema.fields if _is_ordered(field.dataType)]
        return list(dict.fromkeys([person, *first, *rest]))

    def _is_needed(self, event: Column, time: Column, kind: str) -> Column:
        """Whether a row can matter, or has something wrong that is told of: said so that Parquet
        passes over what cannot."""
        by_since: dict[datetime | None, list[str]] = {}
        for name, read in self._needs["events"].items():
            # An event that came before another with its id takes its place, whenever it was.
            has_id = self._needs["event_id"] in read["properties"]
            by_since.setdefault(None if has_id else read["since"], []).append(name)
        is_needed = event.isNull() | (event == "") | time.isNull()
        for since, names in by_since.items():
            begin = None if since is None else self._instant(kind, since)
            is_needed |= event.isin(names) if begin is None else event.isin(names) & (time >= begin)
        return is_needed

    def _instant(self, kind: str, since: datetime) -> Column | None:
        """An instant in the type of the column of times, not later than it; None for a type in which
        times have no order."""
        from pyspark.sql import functions as F

        if since < datetime(1900, 1, 1, tzinfo=timezone.utc):
            return None
        if kind == "timestamp":
            return F.lit(since.isoformat(sep=" ")).cast("timestamp")
        local = since.astimezone(ZoneInfo(self._program.timezone or "UTC")).replace(tzinfo=None) - _DAY
        if kind == "timestamp_ntz":
            return F.lit(local.isoformat(sep=" ")).cast("timestamp_ntz")
        if kind == "date":
            return F.lit(local.date().isoformat()).cast("date")
        return None

    def _proofs(self, rest: DataFrame) -> DataFrame:
        """Who did something that decides nothing, for they exist: an event each, the earliest."""
        from pyspark.sql import functions as F

        known = list(self._program.columns()["events"])
        rest = rest.where(F.col(_EVENT).isin(known)).select(_ID, _EVENT, _TIME)
        if rest.schema[_TIME].dataType.typeName() not in ("timestamp", "timestamp_ntz", "date"):
            return rest.distinct()
        first = rest.groupBy(_ID).agg(F.min(F.struct(_TIME, _EVENT)).alias("first"))
        return first.select(_ID, F.col("first")[_EVENT].alias(_EVENT), F.col("first")[_TIME].alias(_TIME))

    def _refuse_missing(self, table: str, names: list[str]) -> None:
        """Refuses columns that segments read and a table lacks, before anything runs."""
        asked = set(self._asked["attributes"]) if table == "profiles" else set()
        if table == "events":
            asked = {name for read in self._asked["events"].values() for name in read["properties"]}
        for name in names:
            if name in asked and self._missing == "error":
                raise _data_error(table, name, f"there is no column `{name}`, which the segments read")


def _data_error(table: str, column: str, message: str) -> DataError:
    error = DataError(f"{table}: {message}")
    error.table, error.column = table, column
    return error


def _frame(source: Frame, spark: SparkSession | None) -> DataFrame:
    """A table of Spark, or Parquet at paths."""
    if hasattr(source, "mapInArrow"):
        return cast("DataFrame", source)
    from pyspark.sql import SparkSession

    session = spark or SparkSession.getActiveSession() or SparkSession.builder.getOrCreate()
    paths = [source] if isinstance(source, (str, os.PathLike)) else source
    return session.read.parquet(*(os.fspath(path) for path in cast("Sequence[str]", paths)))


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _column(frame: DataFrame, name: str) -> Column | None:
    """A column by its name letter by letter; of a dotted name also a field of structs, or what a map
    has for a key."""
    from pyspark.sql import functions as F

    if name in frame.columns:
        return F.col(_quoted(name))
    first, *fields = name.split(".")
    if not fields or first not in frame.columns:
        return None
    column, kind = F.col(_quoted(first)), frame.schema[first].dataType
    for at, field in enumerate(fields):
        if kind.typeName() == "map":
            # Keys may have dots.
            return column[".".join(fields[at:])]
        inner = {f.name: f.dataType for f in getattr(kind, "fields", [])}
        if field not in inner:
            return None
        column, kind = column.getField(field), inner[field]
    return column


def _existing(frame: DataFrame, table: str, name: str) -> Column:
    column = _column(frame, name)
    if column is None:
        raise _data_error(table, name, f"there is no column `{name}`")
    return column


def _as_id(frame: DataFrame, column: Column) -> Column:
    """An id as text; a whole number has one spelling, so that `7.0` is the person `7`."""
    from pyspark.sql import functions as F

    kind = frame.select(column).schema.fields[0].dataType.typeName()
    if kind in ("byte", "short", "integer", "long"):
        return column.cast("string")
    if kind in ("float", "double"):
        is_whole = (column == F.floor(column)) & (F.abs(column) < 2**53)
        return F.when(is_whole, column.cast("long").cast("string")).otherwise(column.cast("string"))
    return F.regexp_replace(column.cast("string"), r"^(-?[0-9]+)\.0+$", "$1")


def _ordered(order: Order | None, name: str) -> list[Column]:
    """The columns that say in which order rows came, as one."""
    from pyspark.sql import functions as F

    if order is None:
        return []
    several: list[str | Column] = list(order) if isinstance(order, (list, tuple)) else [cast("str | Column", order)]
    columns = [F.col(column) if isinstance(column, str) else column for column in several]
    return [F.struct(*(column.alias(f"o{at}") for at, column in enumerate(columns))).alias(name)]


def _with_text_times(frame: DataFrame) -> DataFrame:
    """Times as texts: of instants with their offset, of local times without."""
    from pyspark.sql import functions as F

    if _TIME not in frame.columns:
        return frame
    time = F.col(_TIME)
    if frame.schema[_TIME].dataType.typeName() == "timestamp":
        return frame.withColumn(_TIME, F.date_format(time, "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"))
    return frame.withColumn(_TIME, time.cast("string"))


def _is_ordered(kind: Any) -> bool:
    """Whether Spark can sort values of a type."""
    name = kind.typeName()
    if name == "array":
        return _is_ordered(kind.elementType)
    if name == "struct":
        return all(_is_ordered(field.dataType) for field in kind.fields)
    return name not in ("map", "variant", "calendarinterval")


def _people(
    program: Program,
    people: Frame | Grouped,
    at: str | datetime,
    needs: dict[str, Any],
    missing: Literal["error", "ignore"],
    spark: SparkSession | None,
) -> DataFrame:
    """Of people who are grouped the columns that are read, and of their events the fields."""
    from pyspark.sql.types import ArrayType, StructField, StructType

    frame = people.table if isinstance(people, Grouped) else _frame(people, spark)
    own = {"profile_id", "$profile_id", "$exists_from"}
    names = [n for n in frame.columns if n in own or n in needs["attributes"] or n in needs["events"]]
    if isinstance(people, (str, os.PathLike)) and names:
        # Said as a schema, Parquet reads no other fields of events.
        fields = []
        for name in names:
            kind = frame.schema[name].dataType
            if name in needs["events"] and isinstance(kind, ArrayType) and isinstance(kind.elementType, StructType):
                kept = {"time", "$arrival", *needs["events"][name]["properties"]}
                kind = ArrayType(StructType([field for field in kind.elementType.fields if field.name in kept]))
            fields.append(StructField(name, kind))
        frame = frame.sparkSession.read.schema(StructType(fields)).parquet(os.fspath(people))
    frame = frame.select(*(_quoted(name) for name in names))
    program.evaluate(_empty(frame), at=at, missing=missing)
    return frame


def _mapped(
    rows: DataFrame, function: Callable[[Iterator[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]], schema: Any
) -> DataFrame:
    """Batches of rows through a function. Names of columns go beside them, for Spark takes none with dots."""
    names = rows.columns

    def named(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        return function(batch.rename_columns(names) for batch in batches)

    return rows.toDF(*(f"c{at}" for at in range(len(names)))).mapInArrow(named, schema)


def _empty(frame: DataFrame) -> pyarrow.Table:
    """A table of Arrow with the columns of one of Spark, and no rows."""
    from pyspark.sql.pandas.types import to_arrow_schema

    return to_arrow_schema(frame.schema).empty_table()


def _collected(frame: DataFrame) -> pyarrow.Table:
    import pyarrow

    if hasattr(frame, "toArrow"):
        return frame.toArrow()
    schema = pyarrow.schema([(name, pyarrow.string()) for name in frame.columns])
    return pyarrow.Table.from_pylist([row.asDict() for row in frame.collect()], schema=schema)


def _arrow(table: Any) -> pyarrow.Table:
    import pyarrow

    return pyarrow.table(table)


def _arrow_field(name: str) -> pyarrow.Field:
    import pyarrow

    return pyarrow.field(name, pyarrow.string())


def _result_schema(program: Program, wide: bool) -> Any:
    from pyspark.sql.types import BooleanType, ByteType, StringType, StructField, StructType

    text = StringType()
    if not wide:
        columns = [("segment", text), ("profile_id", text), (_KIND, ByteType())]
    else:
        segments = [(name, BooleanType()) for name in program.segments]
        columns = [("profile_id", text), *segments, (_WINNER, text), (_SUMS, text)]
    return StructType([StructField(name, kind) for name, kind in columns])


def _sums(raw: DataFrame, wide: bool) -> list[str]:
    """What each task found. This runs the job, whose rows are kept."""
    from pyspark.sql import functions as F

    rows = raw.where(F.col(_SUMS).isNotNull()) if wide else raw.where(F.col(_KIND) == _IS_SUMS)
    return [row[0] for row in rows.select(_SUMS if wide else "segment").collect()]


def _refuse_lost(report: dict[str, Any], max_bad: float) -> None:
    lost, rows = report["rows_lost"], report["rows"]
    if lost > rows * max_bad:
        told = "\n".join(f"data: {problem['message']}" for problem in report["problems"])
        raise DataError(
            f"{lost:,} of {rows:,} rows could not be read, more than {max_bad:.4g} of them (`max_bad` says how many "
            f"may be)\n{told}"
        )


# What runs on executors. A program is compiled once a process.

_programs: dict[str, Program] = {}


def _program(texts: str) -> Program:
    key = hashlib.sha256(texts.encode()).hexdigest()
    if key not in _programs:
        _programs.clear()
        _programs[key] = Program.from_texts(texts)
    return _programs[key]


def _evaluate_rows(
    batches: Iterator[pyarrow.RecordBatch], texts: str, at: str, wide: bool, missing: Any, columns: dict[str, Any]
) -> Iterator[pyarrow.RecordBatch]:
    stream = _program(texts).stream(at=at, **columns)
    results = _wide if wide else _long
    for batch in batches:
        for found in stream.push(batch):
            yield from results(found)
    last = stream.finish()
    if last is not None:
        yield from results(last)
    yield from _told(stream.sums(), _program(texts), wide)


def _evaluate_people(
    batches: Iterator[pyarrow.RecordBatch], texts: str, at: str, wide: bool, missing: Any
) -> Iterator[pyarrow.RecordBatch]:
    program = _program(texts)
    results = _wide if wide else _long
    for batch in batches:
        found = program.evaluate(batch, at=at, missing=missing, threads=1)
        yield from results(found)
        yield from _told(found.sums(), program, wide)


def _group_rows(
    batches: Iterator[pyarrow.RecordBatch], texts: str, missing: Any, columns: dict[str, Any]
) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow
    from pyspark import TaskContext

    grouping = _program(texts).grouping(**columns)
    names = [*_arrow(grouping.empty).column_names, _SUMS, _KIND]

    def people(table: Any) -> Iterator[pyarrow.RecordBatch]:
        for batch in _arrow(table).to_batches():
            nothing = pyarrow.nulls(len(batch), pyarrow.string())
            yield pyarrow.RecordBatch.from_arrays([*batch.columns, nothing, nothing], names)

    empty = _arrow(grouping.empty).schema
    for batch in batches:
        for table in grouping.push(batch):
            yield from people(table)
    last = grouping.finish()
    if last is not None:
        yield from people(last)
    context = TaskContext.get()
    partition = str(context.partitionId() if context else 0)
    nothing = [pyarrow.nulls(1, field.type) for field in empty]
    told = [pyarrow.array([text], pyarrow.string()) for text in (grouping.sums(), partition)]
    yield pyarrow.RecordBatch.from_arrays([*nothing, *told], names)


def _long(found: Any) -> Iterator[pyarrow.RecordBatch]:
    yield from _of_kind(_arrow(found.long()), _IS_MEMBER)
    winners = found.winners()
    if winners is not None:
        yield from _of_kind(_arrow(winners).select(["segment", "profile_id"]), _IS_WINNER)


def _of_kind(table: pyarrow.Table, kind: int) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow

    for batch in table.to_batches():
        kinds = pyarrow.array([kind], pyarrow.int8()).take(pyarrow.array([0] * len(batch), pyarrow.int32()))
        yield pyarrow.RecordBatch.from_arrays([*batch.columns, kinds], ["segment", "profile_id", _KIND])


def _wide(found: Any) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow

    table, winners = _arrow(found), found.winners()
    won = {} if winners is None else dict(zip(*(column.to_pylist() for column in _arrow(winners).columns)))
    for batch in table.to_batches():
        of_rows = pyarrow.array([won.get(person.as_py()) for person in batch.column(0)] if won else
                                [None] * len(batch), pyarrow.string())
        nothing = pyarrow.nulls(len(batch), pyarrow.string())
        yield pyarrow.RecordBatch.from_arrays([*batch.columns, of_rows, nothing], [*table.column_names, _WINNER, _SUMS])


def _told(sums: str, program: Program, wide: bool) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow

    text = pyarrow.array([sums], pyarrow.string())
    nothing = pyarrow.nulls(1, pyarrow.string())
    if not wide:
        kind = pyarrow.array([_IS_SUMS], pyarrow.int8())
        yield pyarrow.RecordBatch.from_arrays([text, nothing, kind], ["segment", "profile_id", _KIND])
        return
    masks = [pyarrow.nulls(1, pyarrow.bool_()) for _ in program.segments]
    names = ["profile_id", *program.segments, _WINNER, _SUMS]
    yield pyarrow.RecordBatch.from_arrays([nothing, *masks, nothing, text], names)
