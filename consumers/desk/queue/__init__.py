"""The queue: the open warnings, whom to attend to first, and which of them somebody looks at.

`store` has the queries, `open_warnings` keeps what is open as columns, `team_work` is what the team did about
a customer, `reader` keeps both up to date. `order` decides who is today's, `filter` is what an address asks
for, `matching` what it finds, `row` what a page shows of one, which `row_maker` makes. `board` answers pages
from all of them, now or at a past instant. `views` are saved filters, `export` is the queue as CSV.
"""
