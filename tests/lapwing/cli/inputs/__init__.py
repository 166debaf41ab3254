"""Where modules without a test file of their own are tested.

guess, preset: lapwing/test_cli
"""
