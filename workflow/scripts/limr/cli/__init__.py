"""The subcommands of `limr`, one file each."""
