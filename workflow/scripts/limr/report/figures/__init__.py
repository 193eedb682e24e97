"""One file a plug-in: see docs/extending.md."""
