"""Where modules without a test file of their own are tested.

contract_fields, inputs_file: test_load
fields, filters, problems, texts: test_source
"""
