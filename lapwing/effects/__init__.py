"""The report on what plays do: read from files, and shown as text and as a page."""
