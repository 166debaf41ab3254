"""Tests of the report on effects.

page, proposal, reading, text, words: lapwing/commands/test_effects
"""
