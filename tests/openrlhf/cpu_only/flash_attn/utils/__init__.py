"""Tests on a CPU only."""
