"""Where modules without a test file of their own are tested.

facts: consumers/scorecard/test_scorecard
"""
