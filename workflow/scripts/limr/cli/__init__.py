"""The commands of `limr`, a module each."""
