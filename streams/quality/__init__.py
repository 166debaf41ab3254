"""How good the model's probabilities were: decisions with their outcomes, and the figures made of them."""
