"""Reports about a period: what was lost, why, and whether it helped, from the database alone.

`period`, `rate` and `knowledge` are what every figure needs: the time that it covers, numerator and
denominator, and how much was known. Each part of a report is a module that reads facts and computes figures.
`document` is a report in one language before any format, `words` what it is written with.
"""
