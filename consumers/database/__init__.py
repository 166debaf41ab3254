"""The database of warnings: its tables, its versions and the only place that knows its two dialects."""
