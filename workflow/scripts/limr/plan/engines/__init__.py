"""What engines need GPUs for: one file an engine, of its name; `limr plan` reads them.

They stand apart from the engines so that an edit here reruns nothing. A module has these names; an
engine without a module, or without one of them, does that work on a CPU:

- `training(study, arm, problems, parameters) -> Layout`: an arm's training run, for so many
  problems and a model of so many parameters;
- `generation(study) -> Layout`: an evaluation.
- `gpus(study, work) -> tuple[int, int]`: the nodes of a job and the GPUs of each, where `work` is
  "ppo", "sft" or "generate".
- `MODULES`: packages that must be importable on a node with GPUs (rule `preflight`).

All are pure, do without the engine's own libraries, and refuse (InputError) what the engine does.
"""
