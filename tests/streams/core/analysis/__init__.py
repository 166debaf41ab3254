"""Where modules without a test file of their own are tested.

cases, examples, knowledge: test_satisfiable
"""
