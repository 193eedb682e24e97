"""One grader for rewards and evaluations: is an answer the gold answer?"""
