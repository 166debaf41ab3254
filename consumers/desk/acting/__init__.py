"""Actions from the desk: written to the database, sent to the topic once they may be, undone."""
