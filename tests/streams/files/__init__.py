"""Where modules without a test file of their own are tested.

parquet: test_events
"""
