"""Where modules without a test file of their own are tested.

store, open_warnings, reader, order, row, row_maker: test_board
past, views, export: consumers/desk/pages/test_queue
"""
