"""Where modules without a test file of their own are tested.

reasons: test_logistic
scorer: streams/core/test_engine_models
"""
