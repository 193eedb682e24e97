"""What the evaluations say: results, contrasts, costs, contamination, findings."""
