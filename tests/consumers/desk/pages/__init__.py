"""Where modules without a test file of their own are tested.

language, queue: consumers/desk/test_app
"""
