"""Where modules without a test file of their own are tested.

supervisor: integration/test_worker_processes
"""
