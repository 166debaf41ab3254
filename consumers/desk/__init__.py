"""The desk: the web page on which a retention team works.

`app` puts everything together and `desk` holds what all pages share. `pages/` has one router for each page;
the other folders hold what the pages show and do: `people/` (who signs in and what they may do), `queue/`
(the open warnings, in their order), `customer/`, `acting/` (actions on their way to the topic), `live/` (what
changes while one looks), `api/` (the same as JSON). `templates/`, `static/` and `locale/` are the pages'
HTML, their scripts and styles, and their words in other languages.

The desk reads the database that `lapwing sink` fills and writes to topics; it runs no rules and no model.
"""
