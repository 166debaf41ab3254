"""Where modules without a test file of their own are tested.

broker, decision, delivery, desk, events, ingest, inputs, model, topics, warnings: test_settings
value_files, values: test_settings
"""
