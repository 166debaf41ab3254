"""Where modules without a test file of their own are tested.

sources: test_follower
"""
