"""A Ray cluster for one command over the nodes of one SLURM allocation; see `launcher`."""
