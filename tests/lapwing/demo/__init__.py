"""Where modules without a test file of their own are tested.

children, feed, place, source: test_parts
ledger, report, stats: test_screen
run, watch: integration/test_demo
"""
