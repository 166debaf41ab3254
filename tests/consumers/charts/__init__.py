"""Where modules without a test file of their own are tested.

drawing, dots, lines, spans: test_charts
"""
