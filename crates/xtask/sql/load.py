"""Puts the data of two examples into databases, as a warehouse has them.

    load.py EXAMPLES DUCKDB_FILE… [POSTGRES_ADDRESS]

Each example is a schema of PostgreSQL, and a file of DuckDB of its own in the folder that is
named. Events are numbered as they lie in the files, which is the order of their arrival.
"""
import csv
import gzip
import io
import pathlib
import sys

import duckdb

ZONE = "America/Los_Angeles"
EXAMPLES = {
    "online-retail": {
        "profiles": ("profiles", {"profile_id": "text", "country": "text"}),
        "events": (
            "events",
            {
                "profile_id": "text",
                "event": "text",
                "timestamp": "timestamptz",
                "invoice_no": "text",
                "stock_code": "text",
                "quantity": "bigint",
                "unit_price": "decimal(19,4)",
            },
        ),
    },
    "d2c-store": {
        "people": (
            "people",
            {
                "profile_id": "text",
                "country": "text",
                "email_consent": "boolean",
                "sms_consent": "boolean",
                "suppressed": "boolean",
            },
        ),
        "events": (
            "events",
            {
                "profile_id": "text",
                "event": "text",
                "happened_at": "timestamptz",
                "received_at": "timestamptz",
                "message_id": "text",
                "category": "text",
                "value": "decimal(19,4)",
                "amount": "decimal(19,4)",
            },
        ),
        "sign-ins": ("sign_ins", {"device_id": "text", "profile_id": "text"}),
    },
}
# In a warehouse a view says who is whom.
VIEWS = {
    "d2c-store": [
        """CREATE VIEW events_of_people AS
           SELECT coalesce(s.profile_id, e.profile_id) AS profile_id, e.event, e.happened_at, e.message_id,
             e.category, e.value, e.amount, e.arrived
           FROM events AS e LEFT JOIN (SELECT DISTINCT device_id, profile_id FROM sign_ins) AS s
             ON s.device_id = e.profile_id"""
    ]
}


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        return next(reader), list(reader)


def numbered(columns, path):
    header, found = rows(path)
    at = [header.index(name) for name in columns]
    return [[row[i] for i in at] + [str(n)] for n, row in enumerate(found)]


def declared(columns):
    return ", ".join(f'"{name}" {kind}' for name, kind in columns.items()) + ", arrived bigint"


def text(found):
    out = io.StringIO()
    csv.writer(out).writerows(found)
    return out.getvalue()


def decimals(folder):
    """Money as decimals of DuckDB, in both kinds of files: the ends of 64 bits, and too many places."""
    database = duckdb.connect()
    database.execute(
        """CREATE TABLE d AS SELECT id, CAST(value AS DECIMAL(38,10)) AS value FROM (VALUES
             ('max', '922337203685477.5807'), ('min', '-922337203685477.5808'), ('least', '0.0001'),
             ('above', '922337203685477.5808'), ('fine', '1.00005')) AS t(id, value)"""
    )
    database.execute(f"COPY d TO '{folder / 'decimals.parquet'}' (FORMAT parquet)")
    database.execute(f"COPY d TO '{folder / 'decimals.csv'}' (FORMAT csv, HEADER true)")


def main():
    examples, folder, *rest = sys.argv[1:]
    folder = pathlib.Path(folder)
    decimals(folder)
    postgres = None
    if rest:
        import psycopg

        postgres = psycopg.connect(rest[0], autocommit=True)
    for name, tables in EXAMPLES.items():
        file = folder / f"{name}.duckdb"
        file.unlink(missing_ok=True)
        database = duckdb.connect()
        database.execute(f"SET TimeZone = '{ZONE}'")
        # A file that the client of an earlier version reads, too.
        database.execute(f"ATTACH '{file}' AS shop (STORAGE_VERSION 'v1.2.0')")
        database.execute("USE shop")
        if postgres:
            postgres.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')
            postgres.execute(f'CREATE SCHEMA "{name}"')
            postgres.execute(f'SET search_path = "{name}"')
        for source, (table, columns) in tables.items():
            found = text(numbered(columns, pathlib.Path(examples) / name / "data" / f"{source}.csv.gz"))
            loaded = folder / f"{name}-{table}.csv"
            loaded.write_text(found, encoding="utf-8", newline="")
            for connection in filter(None, (database, postgres)):
                connection.execute(f"CREATE TABLE {table} ({declared(columns)})")
            database.execute(f"COPY {table} FROM '{loaded}' (FORMAT csv, HEADER false)")
            if postgres:
                with postgres.cursor().copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy:
                    copy.write(found)
        for view in VIEWS.get(name, []):
            for connection in filter(None, (database, postgres)):
                connection.execute(view)
        if postgres:
            postgres.execute("ANALYZE")
        database.execute("CHECKPOINT shop")
        database.close()


main()
