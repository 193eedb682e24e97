"""Formats of logs, one file each, see docs/extending.md.

Every module has these names:

- `PROVIDES`: `trajectories` or `scores`, what its `Imported.table` is;
- `FILES`: pattern of the files in a folder; None where the format is one file;
- `Options`: the keys that the format adds to an entry of `trajectories`;
- `read(paths, problems, options) -> Imported`: reads the files. `problems` are those that were
  trained on, and give ids and their order; None: those that the log names, a text without an id
  being a problem of its own. Bad input raises InputError that names file, row and remedy;
- `PRIORITY`, 0 where it is not there: of the formats that a file may be of, those of the highest
  one count; several of one priority are refused;
- `check(options)`, where some options cannot work together: raises InputError.

A format of rollouts is read by `limr.trajectories.reader` and has `read` call it; it has

- `columns(sample, options)`: canonical name (prompt, response, gold, reward, correct, step, group,
  rollout, uid, id) -> dotted path of the log's column; None where the file is not of the format;
- `expander(sample, options)`, where a line (or a document, or a row) is not one rollout: returns
  what makes rows of it, which are mappings and have those columns.

A format of counts, rates, curves or scores has

- `recognises(sample)`: whether a file is of the format;
- `SAMPLES_BASE`: true where the study itself makes the file.
"""
