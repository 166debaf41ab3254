"""Where modules without a test file of their own are tested.

store, open_warnings, order, row, team_work: test_board
past, views, export: consumers/desk/pages/test_queue
"""
