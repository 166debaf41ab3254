"""Where modules without a test file of their own are tested.

departures, lapses, maturity, outcome, tables: test_outcomes
"""
