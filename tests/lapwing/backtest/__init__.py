"""Where modules without a test file of their own are tested.

comparison_page, comparison_text, decisions_text, inputs, page, reading: lapwing/commands/test_backtest
segments_page: lapwing/commands/test_backtest
revisions, segments_text, text, tuning_page, tuning_text, words: lapwing/commands/test_backtest
topics: integration/test_backtest_broker
"""
