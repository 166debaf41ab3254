"""The pure engine: events in, warnings out; no Kafka, no clock, no file and no log.

The folders follow the data: events, features, conditions, rules, warnings. Beside them stand the model,
segments, `analysis` (what can be proved of conditions) and `explain`. `engine` puts them together.
"""
