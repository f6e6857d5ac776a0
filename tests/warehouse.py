"""Runs queries in a real database: a line of JSON in for each, a line out.

    {"setup": ["CREATE TABLE …", …], "query": "WITH …"}   a fresh database, then the query
    {"query": "WITH …"}                                    the same tables as before
    {"rows": [["ann", true, false], …]}                    what came out
    {"error": "…"}

The session's time zone is one that no test uses, so that nothing may depend on it.
"""
import json
import sys
import threading

ZONE = "America/Los_Angeles"
# Seconds that a query may take.
LIMIT = 60


class DuckDb:
    def begin(self):
        import duckdb

        self.connection = duckdb.connect(":memory:", config={"threads": 1})
        self.connection.execute(f"SET TimeZone = '{ZONE}'")

    def run(self, statement):
        # A query that does not end shall fail.
        timer = threading.Timer(LIMIT, self.connection.interrupt)
        timer.start()
        try:
            return self.connection.execute(statement)
        finally:
            timer.cancel()


class Postgres:
    def __init__(self, address):
        import psycopg

        self.connection = psycopg.connect(address, autocommit=True)

    def begin(self):
        for statement in (
            "DROP SCHEMA IF EXISTS seg CASCADE",
            "CREATE SCHEMA seg",
            "SET search_path = seg",
            f"SET TimeZone = '{ZONE}'",
            "SET jit = off",
            f"SET statement_timeout = '{LIMIT}s'",
        ):
            self.connection.execute(statement)

    def run(self, statement):
        return self.connection.execute(statement, prepare=False)


def main():
    database = DuckDb() if sys.argv[1] == "duckdb" else Postgres(sys.argv[2])
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "setup" in request:
                database.begin()
                for statement in request["setup"]:
                    database.run(statement)
            rows = database.run(request["query"]).fetchall()
            answer = {"rows": [list(row) for row in rows]}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
