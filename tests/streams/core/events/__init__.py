"""Where modules without a test file of their own are tested.

action_words: streams/contract/test_decode
refusal: streams/core/features/test_admission
topics: test_batch
"""
