"""A run as it goes: Snakemake's events, what each job says, the screen."""
