"""The report on the model as text and as a page."""
