"""From topics into the database: what the records of each become (`kinds.py`), and the loop over them."""
