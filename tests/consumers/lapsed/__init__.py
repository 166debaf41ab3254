"""Where modules without a test file of their own are tested.

facts: consumers/lapsed/test_win_back
"""
