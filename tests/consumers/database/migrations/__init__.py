"""Where modules without a test file of their own are tested.

column_types, env: test_runner
"""
