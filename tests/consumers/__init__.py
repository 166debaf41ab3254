"""Where modules without a test file of their own are tested.

silences: integration/test_silences
"""
