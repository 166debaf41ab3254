"""Where modules without a test file of their own are tested.

person, sign_in: consumers/desk/test_rights
sessions: test_access
attempts: consumers/desk/pages/test_sign_in
"""
