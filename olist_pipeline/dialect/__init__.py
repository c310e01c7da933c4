"""The dialect of CSV files: what one is, how DuckDB is made to read it, and whether a file's bytes keep to it.

What belongs here: delimiters, quotes, line ends, encodings, lengths and numbers of cells, of any CSV file; and whether
a file of Parquet is whole. What does not: which files and columns there are (`landing`), and the meaning of a cell
(`intake`).
"""
