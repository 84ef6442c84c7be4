"""Settings of a production run: the plan, quality gates, resources of stages, options of the cluster."""
