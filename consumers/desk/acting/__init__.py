"""Actions of the team, from a click to the topic of actions."""
