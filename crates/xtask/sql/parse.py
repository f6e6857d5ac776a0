"""Reads SQL by a parser of its dialect: lines of JSON, [dialect, query].

What a parser does not know it would take as it is, with a warning; here that is a failure.
"""
import json
import logging
import sys

import sqlglot
from sqlglot import exp


class Unknown(logging.Handler):
    def emit(self, record):
        raise sqlglot.ParseError(record.getMessage())


logging.getLogger("sqlglot").addHandler(Unknown())
sys.setrecursionlimit(20000)
failed, n = 0, 0
for line in sys.stdin:
    dialect, query = json.loads(line)
    n += 1
    try:
        for statement in sqlglot.parse(query, read=dialect, error_level=sqlglot.ErrorLevel.RAISE):
            if isinstance(statement, exp.Command):
                raise sqlglot.ParseError(f"a statement that is not known: {statement.sql()[:200]}")
    except sqlglot.errors.SqlglotError as error:
        failed += 1
        if failed <= 10:
            print(f"{dialect}: {str(error)[:400]}\n{query[:2000]}\n", file=sys.stderr)
print(f"{n - failed} of {n} queries are read")
sys.exit(failed > 0)
