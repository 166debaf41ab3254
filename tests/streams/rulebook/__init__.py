"""Where modules without a test file of their own are tested.

diff: test_revisions
fields: test_reader
files, rule_file, yaml: test_load
findings: test_lint
reasons_file: test_plays_file
"""
