"""Data sets on disk and in object stores: WebDataset shards with an index, `dataset.json`, and the event log.

`packing` makes a data set of captures (`p2p pack`), `samples` encodes one capture, `archive` reads and writes tars with
an index, `store` is the folder or URL that all of it lies in.
"""
