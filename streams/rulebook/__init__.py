"""From YAML files to rule sets.

A kind of file is a model (`rule_file`, `plays_file`, `reasons_file`, `cases.case_file`) of typed `fields`,
which `reader` reads strictly over the nodes of `yaml`; `load` reads all `files` of a rulebook as one. What is
done with a rulebook stands beside that: `lint`, `diff`, test `cases`, `watch` and `revisions`.
"""
