"""Production of data sets with Ray, on one machine or a cluster: `p2p produce`, `p2p status` and `p2p verify`.

`produce` starts a run for a `Plan`; `run` is its loop in the driver; `head_tasks` and `shard_tasks` are the tasks that
Ray runs on the nodes, one for each stage of `factory.stages.registry`. docs/production.md describes every module and
file.
"""
