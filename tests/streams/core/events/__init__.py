"""Where modules without a test file of their own are tested.

refusal: streams/core/features/test_admission
topics: test_batch
"""
