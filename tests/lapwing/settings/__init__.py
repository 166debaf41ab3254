"""Where modules without a test file of their own are tested.

delivery, desk, values: test_settings
"""
