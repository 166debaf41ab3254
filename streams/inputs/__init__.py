"""Input mappings: records as a business has them become events of the contract.

`inputs_file` is what inputs.yaml may hold, from sources (`source_entry`) down to fields (`field_entry`);
`load` compiles it to a `source.Source` for each entry. A source
reads `records` or tables into columns, one for each path, makes of them by `filters` and `fields` what the
contract has, and writes it as the contract's JSON. The decoder of the contract judges what comes out, so that
it stays the one authority on what an event is.
"""
