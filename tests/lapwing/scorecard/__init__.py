"""Where modules without a test file of their own are tested.

page, text, words: lapwing/commands/test_scorecard
win_back_text: lapwing/commands/test_lapsed
"""
