"""Policies as folders: prompt templates, pretrained models, generation by vLLM."""
