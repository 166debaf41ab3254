"""The model that learns: a river learner as the engine sees it."""
