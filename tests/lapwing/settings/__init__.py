"""Where modules without a test file of their own are tested.

delivery, values: test_settings
"""
