"""What a study will cost: jobs, GPU hours and disk, estimated before anything runs."""
