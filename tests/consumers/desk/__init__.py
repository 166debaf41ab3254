"""Where modules without a test file of their own are tested.

config, desk, addresses, errors, rulebook: test_app
installation: pages/test_changes
spreadsheet: consumers/test_spreadsheet
"""
