"""Where modules without a test file of their own are tested.

delivery, desk, ingest, inputs, value_files, values: test_settings
"""
