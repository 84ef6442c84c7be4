"""Every method on the same heads: samples, methods, rows of the tables, results and their summaries."""
