"""Where modules without a test file of their own are tested.

counts: consumers/notify/test_notices
notice: test_judge
"""
