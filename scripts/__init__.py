"""What tests and benchmarks need beyond Python: Apache Kafka and PostgreSQL, run in the foreground."""
