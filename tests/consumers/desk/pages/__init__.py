"""Where modules without a test file of their own are tested.

language: consumers/desk/test_app
live: consumers/desk/live/test_follower
"""
