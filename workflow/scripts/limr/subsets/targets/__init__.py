"""Trainers that a subset can be written for: a file each."""
