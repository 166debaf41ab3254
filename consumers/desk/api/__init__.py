"""The desk as JSON, under `/api`: the same data, the same rights, the same rules for what may be done.

`models` is what goes in and comes out, `routes` what can be asked, `schema` its description in OpenAPI.
"""
