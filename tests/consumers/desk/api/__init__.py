"""Where modules without a test file of their own are tested.

models: test_routes
"""
