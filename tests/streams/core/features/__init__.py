"""Where modules without a test file of their own are tested.

apply, complaint_followups, customers, source_guard: oracle/test_engine_against_twin
relations: test_catalogue
"""
