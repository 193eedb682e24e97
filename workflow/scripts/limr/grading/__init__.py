"""One grader for rewards and for evaluations."""
