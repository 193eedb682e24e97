"""`limr look`: from any trainer's log to the prompts that are worth it."""
