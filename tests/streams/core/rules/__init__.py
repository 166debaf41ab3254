"""Where modules without a test file of their own are tested.

rule: test_rule_set
"""
