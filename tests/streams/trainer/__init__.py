"""Where modules without a test file of their own are tested.

run, settings: integration/test_learner
"""
