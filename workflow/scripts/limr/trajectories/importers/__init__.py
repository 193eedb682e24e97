"""Formats of logs, one file each, see docs/extending.md.

A module has these names:

- `PROVIDES`: `trajectories` or `scores`, what its `Imported.table` is;
- `FILES`: pattern of the files in a folder; None where the format is one file;
- `Options`: the format's keys of an entry of `trajectories`;
- `read(paths, problems, options) -> Imported`: reads the files. `problems` are those that were
  trained on, and give ids and their order; None: those that the log names, a text without an id
  being a problem of its own. Bad input raises InputError that names file, row and remedy;
- `check(options)`, where some options cannot work together: raises InputError;
- `SAMPLES_BASE`: true where the study itself makes the file.
"""
