"""One configuration file, checked as a whole and spelled out: arms, scores, benchmarks, jobs."""
