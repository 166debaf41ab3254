"""Where modules without a test file of their own are tested.

diff: test_revisions
fields, load, reader, rule_file, yaml: test_files
"""
