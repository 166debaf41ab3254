"""Where the other modules are tested: cases, examples and knowledge in test_satisfiable."""
