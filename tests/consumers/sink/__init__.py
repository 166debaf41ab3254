"""Where modules without a test file of their own are tested.

events, kind, reading: test_kinds
steps, store: test_sink
"""
