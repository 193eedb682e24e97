"""limr: which RL prompts are worth the compute, and is the gain real?"""

__version__ = "0.1.0"
