"""Where modules without a test file of their own are tested.

page, text, words: lapwing/commands/test_model_report
"""
