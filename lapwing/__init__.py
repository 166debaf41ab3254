"""The command line: the only place that wires streams and consumers together."""
