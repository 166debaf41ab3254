"""From the database to the team's channels."""
