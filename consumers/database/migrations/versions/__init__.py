"""The revisions, one file each; what is written here once is never changed."""
