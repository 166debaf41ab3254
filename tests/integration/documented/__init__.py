"""Every command that a page shows, run as it stands, page by page: a small shop for what they work on."""
