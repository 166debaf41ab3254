"""Where modules without a test file of their own are tested.

broker, check, erasures, installation, model, rules, stores: test_examine
"""
