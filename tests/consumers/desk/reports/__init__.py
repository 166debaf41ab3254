"""Where modules without a test file of their own are tested.

lapsed_list: ../pages/test_lapsed
reports: ../pages/test_rules
"""
