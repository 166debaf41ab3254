"""Where modules without a test file of their own are tested.

table: test_csv_file
"""
