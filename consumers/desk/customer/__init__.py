"""A customer as the desk shows them: days, warnings and their steps, actions, what came of them."""
