"""Where modules without a test file of their own are tested.

check, guess, preset, trial: lapwing/test_cli
"""
