"""Where modules without a test file of their own are tested.

save: streams/worker/test_pipeline
"""
