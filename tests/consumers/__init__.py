"""Where modules without a test file of their own are tested.

contract_words: consumers/test_language
silences: integration/test_silences
"""
