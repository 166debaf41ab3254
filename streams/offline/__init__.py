"""The engine without a broker: replay of event files; explanations from files and checkpoints."""
