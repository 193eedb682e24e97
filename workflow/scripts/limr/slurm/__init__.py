"""SLURM: what it would refuse, its jobs of an earlier Snakemake, a node with GPUs, containers."""
