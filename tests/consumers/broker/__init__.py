"""Where modules without a test file of their own are tested.

client: integration/test_consumers_broker
records: consumers/test_tail
steps: integration/test_subscribe
"""
