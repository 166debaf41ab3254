"""Where modules without a test file of their own are tested.

tree: test_compiler
grammar: test_parser
"""
