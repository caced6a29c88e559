"""The open lake: closed hours of some tables as Parquet in the bucket, for any engine that reads it."""
