import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, final, type_check_only

__all__ = [
    "SegError",
    "CompileError",
    "DataError",
    "Program",
    "People",
    "Members",
    "Table",
    "Problems",
    "Stream",
    "Grouping",
    "compile",
    "load",
    "merged_into",
    "pack",
    "__version__",
]

__version__: str

@type_check_only
class ArrowStream(Protocol):
    """A table of any library with Arrow's PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: Any = ...) -> Any: ...

class SegError(Exception): ...

class CompileError(SegError):
    diagnostics: list[dict[str, Any]]

class DataError(SegError):
    table: str | None
    column: str | None

@final
class Table:
    @property
    def column_names(self) -> list[str]: ...
    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...

@final
class Problems:
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[dict[str, Any]]: ...
    def _repr_html_(self) -> str: ...

@final
class People:
    @property
    def report(self) -> dict[str, Any]: ...
    @property
    def last_event(self) -> datetime | None: ...
    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...
    def _repr_html_(self) -> str: ...

@final
class Members:
    @property
    def segments(self) -> list[str]: ...
    @property
    def at(self) -> datetime: ...
    def counts(self) -> dict[str, int]: ...
    def members(self, segment: str) -> list[str]: ...
    def long(self) -> Table: ...
    def winners(self) -> Table | None: ...
    def sums(self) -> str: ...
    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...
    def _repr_html_(self) -> str: ...

@final
class Stream:
    @property
    def report(self) -> dict[str, Any]: ...
    def push(self, rows: ArrowStream) -> list[Members]: ...
    def finish(self) -> Members | None: ...
    def sums(self) -> str: ...

@final
class Grouping:
    @property
    def empty(self) -> Table: ...
    @property
    def report(self) -> dict[str, Any]: ...
    def push(self, rows: ArrowStream) -> list[Table]: ...
    def finish(self) -> Table | None: ...
    def sums(self) -> str: ...

@final
class Program:
    @property
    def segments(self) -> list[str]: ...
    @property
    def warnings(self) -> Problems: ...
    @property
    def timezone(self) -> str | None: ...
    def reads(self, at: str | datetime) -> dict[str, Any]: ...
    def group(
        self,
        events: ArrowStream | None = None,
        profiles: ArrowStream | None = None,
        *,
        merges: ArrowStream | None = None,
        at: str | datetime | None = None,
        id: str = "id",
        event: str = "event",
        time: str = "time",
        profile_id: str | None = None,
        profile_time: str | None = None,
        merge_from: str = "from",
        merge_into: str = "into",
        missing: Literal["error", "ignore"] = "error",
        threads: int | None = None,
    ) -> People: ...
    def read(self, *, at: str | datetime | None = None, threads: int | None = None) -> People: ...
    def open_store(
        self, folder: str | os.PathLike[str], *, at: str | datetime | None = None, threads: int | None = None
    ) -> People: ...
    def evaluate(
        self,
        people: People | ArrowStream,
        *,
        at: str | datetime,
        missing: Literal["error", "ignore"] = "error",
        threads: int | None = None,
    ) -> Members: ...
    def stream(
        self,
        *,
        at: str | datetime,
        id: str = "id",
        event: str = "event",
        time: str = "time",
        profile: str | None = None,
        own_id: str | None = None,
        part_rows: int = 1_000_000,
        missing: Literal["error", "ignore"] = "error",
        threads: int = 1,
    ) -> Stream: ...
    def grouping(
        self,
        *,
        id: str = "id",
        event: str = "event",
        time: str = "time",
        profile: str | None = None,
        own_id: str | None = None,
        part_rows: int = 1_000_000,
        missing: Literal["error", "ignore"] = "error",
        threads: int = 1,
    ) -> Grouping: ...
    def summed(
        self, parts: Sequence[str], *, at: str | datetime, before: dict[str, Any] | None = None
    ) -> dict[str, Any]: ...
    def columns(self, at: str | datetime | None = None) -> dict[str, Any]: ...
    def explain(
        self, people: People, person: str, segment: str | None = None, *, at: str | datetime
    ) -> dict[str, Any]: ...
    def sample(
        self,
        people: People,
        segment: str,
        n: int = 10,
        *,
        at: str | datetime,
        seed: str = "",
        threads: int | None = None,
    ) -> list[dict[str, Any]]: ...
    def history(
        self,
        people: People,
        segment: str | None = None,
        *,
        at: str | datetime,
        days: int = 30,
        threads: int | None = None,
    ) -> Table: ...
    def test(self) -> list[dict[str, Any]]: ...
    def texts(self) -> str: ...
    @staticmethod
    def from_texts(texts: str) -> Program: ...
    def __reduce__(self) -> tuple[Any, tuple[str]]: ...

def compile(
    schema: str,
    segments: Mapping[str, str],
    *,
    timezone: str | None = None,
    week_starts_on: Literal["monday", "sunday"] = "monday",
    lists: Mapping[str, Sequence[str]] | None = None,
) -> Program: ...
def load(directory: str | os.PathLike[str]) -> Program: ...
def pack(
    directory: str | os.PathLike[str],
    store: str | os.PathLike[str] | None = None,
    *,
    append: bool = False,
    threads: int | None = None,
) -> dict[str, int]: ...
def merged_into(merges: ArrowStream, merge_from: str = "from", merge_into: str = "into") -> Table: ...
