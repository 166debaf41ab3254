"""Where modules without a test file of their own are tested.

dry_run: integration/test_worker_dry_run
event_files, wiring: lapwing/commands/test_replay
lag: lapwing/doctor/test_examine
reports: lapwing/commands/test_report
topic_plan: lapwing/commands/test_topics
"""
