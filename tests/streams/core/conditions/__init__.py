"""Where the other modules are tested: tree and columns in test_compiler, grammar in test_parser."""
