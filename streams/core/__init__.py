"""The pure engine: events in, warnings out; no Kafka, no clock, no file and no log."""
