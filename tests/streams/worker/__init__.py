"""Where modules without a test file of their own are tested.

app, dry_run, settings: test_run
outbox, stats, task_states: test_pipeline
rule_notices: test_rule_rollout
"""
