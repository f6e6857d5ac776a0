//! Files in and out: CSV, NDJSON and Parquet to profile batches, members to files.
