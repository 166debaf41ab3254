"""Tests of the sections of a report; of words that several use, with these:

names: test_funnels
reason_titles: test_reasons
base, cohorts, corrections, group_tables, groups, lapses, lost_words, retention, trend: test_lost
"""
