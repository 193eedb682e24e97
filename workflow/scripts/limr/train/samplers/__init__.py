"""Samplers: which problems a training step draws; one file each, see `limr.train.drawing`."""
