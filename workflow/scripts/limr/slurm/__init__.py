"""Checks before the first expensive job: what SLURM will take, disk, the model, a node with GPUs.

What would fail after hours in a queue fails here in seconds, with advice. `submission` asks SLURM
itself, `storage` looks at the disk (both where Snakemake runs), `node` looks at a compute node.
"""
