"""Tests of `consumers.reports`; of what several parts read, with these:

contacts: test_funnels
losses: test_reasons
views: test_report
"""
