"""Where modules without a test file of their own are tested.

decisions, importance: test_report
"""
