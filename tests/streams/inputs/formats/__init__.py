"""Where modules without a test file of their own are tested.

avro_schema, instants, decimals: test_avro
reading, wire: test_debezium
"""
