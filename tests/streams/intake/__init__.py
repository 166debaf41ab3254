"""Where modules without a test file of their own are tested.

idle, poll: test_partition
topic_tail: streams/worker/test_segment_judge
"""
