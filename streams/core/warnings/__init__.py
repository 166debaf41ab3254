"""The life of a warning: its causes, what people do with it, and the steps that it takes."""
