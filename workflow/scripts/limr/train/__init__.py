"""Engines that train: the embedded PPO, and OpenRLHF on Ray."""
