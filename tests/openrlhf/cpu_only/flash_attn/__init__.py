"""Tests on a CPU only: OpenRLHF imports these names and, with eager attention, calls none."""
