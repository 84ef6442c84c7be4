"""The report of a data set (`p2p report`): one HTML page with pictures and statistics.

`dataset_reader` reads heads and indexes, `head_statistics` and `usage` add them up, `sections` and `sample_sections`
make the page's charts, tables and pictures, `page` renders it.
"""
