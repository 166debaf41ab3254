"""Apache Kafka from Maven Central, one node, for tests and benchmarks."""
