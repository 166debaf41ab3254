"""Debezium from Maven Central, whose records of changes in a PostgreSQL the tests read."""
