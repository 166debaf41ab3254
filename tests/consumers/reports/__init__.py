"""Tests of `consumers.reports`; of what several parts read, with these:

census_months: test_trend
contacts: test_funnels
group_table: test_groups
views: test_report
"""
