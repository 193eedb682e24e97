"""Where problems come from: one file a reader or generator, see docs/extending.md.

A module has these names; `file` is the path of the pinned file that the entry's key `file` names,
None where there is none:

- `Options`: the entry's keys beside `source` and `file` (`limr.core.validation.Keys`);
- `prepare(options, file) -> tuple[list[Problem], list[str]]`: the problems and notes for a reader,
  such as duplicates; bad input raises InputError;
- `expected(options) -> int`, only where the options say it: how many problems there will be;
- `solutions(options, file) -> dict[str, str]`, only where there are worked solutions: problem_id ->
  solution, for supervised fine-tuning.
"""
