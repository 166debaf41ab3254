"""Each part of a report as a section of its document: one module for one part, and no figures of its own."""
