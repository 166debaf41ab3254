"""Where modules without a test file of their own are tested.

alarms, churns, timeline, terms, trial: test_figures
history: test_comparison
load, report, thresholds: test_tuning
"""
