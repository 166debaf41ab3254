"""Where modules without a test file of their own are tested.

process_metrics: streams/worker/test_metrics
"""
