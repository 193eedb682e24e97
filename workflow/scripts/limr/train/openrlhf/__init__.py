"""OpenRLHF as a training engine: planning, commands, hooks, recording, checkpoints."""
