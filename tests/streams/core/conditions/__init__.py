"""Where modules without a test file of their own are tested.

tree, columns: test_compiler
grammar: test_parser
"""
