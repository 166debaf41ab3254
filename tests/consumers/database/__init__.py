"""Where modules without a test file of their own are tested.

aside, base, events, learning, notices, outcomes, schema, warnings, desk: test_database
metrics: test_timing
prefix: consumers/test_query_plans
"""
