"""Runs queries in a real database: a line of JSON in for each, a line out.

    {"setup": ["CREATE TABLE …", …], "query": "WITH …"}   a fresh database, then the query
    {"query": "WITH …"}                                    the same tables as before
    {"rows": [["ann", true, false], …]}                    what came out
    {"error": "…"}

The session's time zone is one that no test uses, so that nothing may depend on it.
"""
import json
import os
import sys
import threading

ZONE = "America/Los_Angeles"
# Seconds that a query may take.
LIMIT = 60
# Tests that run beside each other have a schema each.
OWN = f"seg_{os.getpid()}"


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
            f"DROP SCHEMA IF EXISTS {OWN} CASCADE",
            f"CREATE SCHEMA {OWN}",
            f"SET search_path = {OWN}",
            f"SET TimeZone = '{ZONE}'",
            "SET jit = off",
            f"SET statement_timeout = '{LIMIT}s'",
        ):
            self.connection.execute(statement)

    def run(self, statement):
        return self.connection.execute(statement, prepare=False)


class ClickHouse:
    def __init__(self):
        from chdb import session

        self.session = session.Session()
        self.n = 0

    def begin(self):
        self.n += 1
        self.session.query(f"CREATE DATABASE case{self.n}")
        self.session.query(f"USE case{self.n}")
        if self.n > 1:
            self.session.query(f"DROP DATABASE case{self.n - 1}")

    def run(self, statement):
        answer = self.session.query(statement, "JSONCompact")
        text = answer.bytes().decode() if answer is not None else ""
        rows = json.loads(text)["data"] if text.strip() else []
        # What is true is the number 1 there.
        return Rows([[row[0], *(bool(cell) if cell in (0, 1) else cell for cell in row[1:])] for row in rows])


class Spark:
    def __init__(self):
        import logging

        from pyspark.sql import SparkSession

        settings = {
            "spark.master": "local[1]",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.ansi.enabled": "true",
            "spark.sql.session.timeZone": ZONE,
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.adaptive.enabled": "false",
            "spark.driver.memory": "2g",
            "spark.driver.extraJavaOptions": "-Xss16m",
            "spark.log.level": "OFF",
        }
        builder = SparkSession.builder
        for name, value in settings.items():
            builder = builder.config(name, value)
        logging.getLogger("py4j").setLevel(logging.CRITICAL)
        self.spark = builder.getOrCreate()

    def begin(self):
        for view in self.spark.catalog.listTables():
            self.spark.catalog.dropTempView(view.name)

    def run(self, statement):
        statement = statement.strip().removesuffix(";")
        return Rows([list(row) for row in self.spark.sql(statement).collect()])


class Rows:
    def __init__(self, rows):
        self.rows = rows

    def fetchall(self):
        return self.rows


def main():
    name, address = sys.argv[1:3]
    databases = {"duckdb": DuckDb, "clickhouse": ClickHouse, "spark": Spark}
    database = Postgres(address) if name == "postgres" else databases[name]()
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
