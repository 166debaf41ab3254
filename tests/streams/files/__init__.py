"""Where modules without a test file of their own are tested.

packing: streams/simulate/test_files
parquet: test_events
"""
