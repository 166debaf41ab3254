"""Where modules without a test file of their own are tested.

config, desk, surroundings, rendering, errors, rulebook: test_app
words: test_language
"""
