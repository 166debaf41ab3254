"""Where modules without a test file of their own are tested.

audit, check, diff, schema, test, tune: lapwing/test_cli
"""
