"""Customer segments in plain English, compiled to native code and run over Arrow tables.

    program = seg.compile(schema=schema, segments={"lapsed.seg": text})
    people = program.group(events, profiles, at=at)
    members = program.evaluate(people, at=at)
    members.counts()

Tables of pyarrow, polars, DuckDB, pandas, DataFusion and every other library with Arrow's PyCapsule
interface go in, and results come out as such tables; none of these libraries is needed.
"""

from ._seg import (
    CompileError,
    DataError,
    Grouping,
    Members,
    People,
    Problems,
    Program,
    SegError,
    Stream,
    Table,
    __version__,
    compile,
    load,
    pack,
)

__all__ = [
    "CompileError",
    "DataError",
    "Grouping",
    "Members",
    "People",
    "Problems",
    "Program",
    "SegError",
    "Stream",
    "Table",
    "__version__",
    "compile",
    "load",
    "pack",
]
