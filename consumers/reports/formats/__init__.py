"""The formats of a report, all made from the same document: page, PDF, workbook, CSV files, plain text."""
