"""Where modules without a test file of their own are tested.

causes, compose, episodes: oracle/test_engine_against_twin
tables: streams/core/test_state_tables
"""
