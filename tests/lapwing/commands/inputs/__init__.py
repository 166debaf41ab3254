"""What is done with a file of inputs before it is live."""
