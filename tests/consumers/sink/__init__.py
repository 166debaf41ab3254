"""Where modules without a test file of their own are tested.

events, reading, record_kind: test_kinds
steps, store: test_sink
"""
