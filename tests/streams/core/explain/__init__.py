"""Where modules without a test file of their own are tested.

explain, snapshot, what_if: streams/offline/test_explain
"""
