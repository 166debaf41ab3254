"""Where modules without a test file of their own are tested.

outbox: test_notifier
"""
