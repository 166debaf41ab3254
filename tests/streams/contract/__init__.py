"""Where modules without a test file of their own are tested.

audit, census, customer_days, events, examples, outcomes: test_schemas
columns, structs: test_decode_oracle
mistakes, validate: test_decode
segment_days: test_segments
"""
