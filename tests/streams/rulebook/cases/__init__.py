"""Where modules without a test file of their own are tested.

case, case_file, timeline, times: test_read
compare: test_run
"""
