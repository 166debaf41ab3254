"""Where modules without a test file of their own are tested.

mapped: test_batch
proposal, sample: test_guess
reading, work_file, event_files: lapwing/commands/test_import_files
"""
