"""The embedded engine: PPO and supervised fine-tuning of a tiny model in this process."""
