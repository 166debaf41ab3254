"""Where modules without a test file of their own are tested.

contract_fields, inputs_file, source_entry, event_entry, filter_entry, field_entry: test_load
fields, filters, problems, texts: test_source
"""
