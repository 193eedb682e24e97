"""Responses of a policy to benchmark questions, judged and collected."""
