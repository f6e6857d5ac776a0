"""Who is in which segment, as a job of Spark: of Parquet to Parquet.

    spark-submit members.py --project shop --events s3a://lake/events --profiles s3a://lake/people \
        --id user_id --time ts --at 2026-06-01T00:00:00Z --out s3a://lake/members

Executors need the package `seg` and no files: the project is read by the driver and sent as text.
"""

import argparse
import sys

from pyspark.sql import SparkSession

import seg
import seg.spark


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("project", "events", "at", "out"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("profiles", "merges", "profile-time"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--deny", action="store_true", help="fail where a size is not as segments expect it")
    for name in ("id", "event", "time"):
        parser.add_argument(f"--{name}", default=name)
    args = parser.parse_args()

    spark = SparkSession.builder.appName("members").getOrCreate()
    program = seg.load(args.project)
    with seg.spark.members(
        program,
        args.events,
        args.profiles,
        at=args.at,
        id=args.id,
        event=args.event,
        time=args.time,
        profile_time=args.profile_time,
        merges=args.merges,
        # In which order rows came, as the files have it: so a result is that of `seg run`.
        order=["_metadata.file_path", "_metadata.row_index"],
        profile_order=["_metadata.file_path", "_metadata.row_index"] if args.profiles else None,
        spark=spark,
    ) as found:
        print(f"{len(found)} people, judged at {found.at}")
        for name, n in found.counts().items():
            print(f"{n:>10}  {name}")
        for problem in found.report["problems"]:
            print(f"data: {problem['message']}", file=sys.stderr)
        for text in found.broken:
            print(f"size: {text}", file=sys.stderr)
        found.table.write.mode("overwrite").parquet(args.out)
    spark.stop()
    return 1 if args.deny and found.broken else 0


if __name__ == "__main__":
    sys.exit(main())
