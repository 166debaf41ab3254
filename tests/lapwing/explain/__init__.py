"""Where modules without a test file of their own are tested.

as_json, as_text: lapwing/commands/test_explain
"""
