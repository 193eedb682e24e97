"""Generation by vLLM: what is checked before it starts, how it is asked, what is kept."""
