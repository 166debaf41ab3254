"""The database: its tables, their migrations, and the only place that knows its two dialects."""
