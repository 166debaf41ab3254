"""Formats of records on topics: whatever bytes they are, they become plain JSON before they are mapped.

`registry` is the client of a schema registry, `schemas` keeps what it said; `avro`, `json_schema` and
`debezium` read records, `formats` makes a reader from a format's name and its options.
"""
