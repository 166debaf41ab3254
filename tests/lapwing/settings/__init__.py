"""Where modules without a test file of their own are tested.

delivery, desk, value_files, values: test_settings
"""
