"""From YAML files to rule sets: reading, linting, schemas, watching, comparing and revisions of them."""
