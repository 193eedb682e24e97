"""Tests on a CPU only: OpenRLHF imports this package's names and, with eager attention, calls none."""
