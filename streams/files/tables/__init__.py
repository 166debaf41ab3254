"""Files of others as tables: CSV, workbooks and columns set by blanks, every cell as text, with its line."""
