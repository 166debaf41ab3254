"""Where modules without a test file of their own are tested.

migrations, schema: test_database
"""
