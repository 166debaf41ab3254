"""Where modules without a test file of their own are tested.

optional_topic: test_sink_segments
reading, store: test_sink
"""
