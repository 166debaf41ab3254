"""Where modules without a test file of their own are tested.

supervisor, worker_process: integration/test_worker_processes
"""
