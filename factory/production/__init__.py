"""Many heads on one machine or a cluster: what a data set is a function of, and the run that makes it."""
