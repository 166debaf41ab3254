"""Where modules without a test file of their own are tested.

audit: integration/test_worker_reload
check: streams/rulebook/test_lint
diff, tune: lapwing/commands/test_backtest
schema: streams/rulebook/test_schema
test: streams/rulebook/cases/test_run
"""
