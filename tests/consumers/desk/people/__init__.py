"""Where modules without a test file of their own are tested.

person, sign_in: consumers/desk/test_app
"""
