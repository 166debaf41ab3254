"""What the pages beside the queue show: counts and reports over the whole store, made in the background.

`background` runs what takes long and keeps its result with its time; `reports` has one of these for each
report. What is counted for the desk alone has a module of its own here; effects, scorecards and the win-back
list are those of `consumers.effects`, `consumers.scorecard` and `consumers.lapsed`.
"""
