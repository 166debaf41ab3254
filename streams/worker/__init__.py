"""The Faust worker: its app, the pipeline from polls to records, assignment, rule rollout, delivery."""
