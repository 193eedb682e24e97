"""Policies as model folders: prompt templates, pretrained models, generation by vLLM."""
