"""Scores cut by threshold or size into the problems of an arm."""
