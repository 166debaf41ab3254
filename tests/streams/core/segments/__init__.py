"""Where modules without a test file of their own are tested.

rules, tables: test_engine
"""
