"""Production of data sets with Ray, on one machine or a cluster: `p2p produce`, `p2p status` and `p2p verify`.

`produce` starts a run for a `Plan` (`settings`); `run` is its loop in the driver; `tasks` are what Ray runs on the
nodes, one for each stage of `factory.stages.registry`; `state` is what of a run lies in its store. docs/production.md
describes every module and file.
"""
