"""Where modules without a test file of their own are tested.

events, population, seasons, timeline: test_shop
records, send: test_pace
"""
