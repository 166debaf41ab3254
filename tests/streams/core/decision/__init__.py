"""Tests of what a customer is worth and what is decided.

value: streams/core/features/test_value
"""
