"""How good the model is on real histories, against a batch model that is fitted again every four weeks."""
