"""Where the other modules are tested: explain, snapshot and what_if in tests/streams/offline/test_explain."""
