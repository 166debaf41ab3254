"""Event files: JSON lines and Parquet to batches."""
