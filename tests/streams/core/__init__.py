"""Where modules without a test file of their own are tested.

engine_io: test_engine
"""
