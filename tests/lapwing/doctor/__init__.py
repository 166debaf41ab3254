"""Where modules without a test file of their own are tested.

broker, check, erasures, installation, model, rules, secret_files, stores: test_examine
"""
