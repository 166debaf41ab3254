"""The queue: the open warnings, whom to attend to first, and which of them somebody looks at.

`store` reads the database, `open_warnings` keeps what is open as columns, `team_work` is what the team did
about a customer, `order` decides who is today's, `filter` chooses rows, `row` is what a page shows of one.
`board` puts them together and keeps them up to date, or makes those of a past instant. `views` are saved
filters, `export` is the queue as CSV.
"""
