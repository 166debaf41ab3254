"""Where modules without a test file of their own are tested.

broker, check, installation, model, rules, stores: test_examine
"""
