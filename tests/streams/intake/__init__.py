"""Where modules without a test file of their own are tested.

erasure_topic: integration/test_worker_erasure
idle, poll: test_partition
model_topic: integration/test_learner
topic_tail: streams/worker/test_segment_judge
"""
