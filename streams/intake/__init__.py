"""From Kafka to batches: whole polls through a Faust transport, merged in event time."""
