"""Where a study's files are: every path of its results, said once.

A name may be a wildcard in braces, as rules write it: `paths.subset("{arm}")`.
"""

from __future__ import annotations

from dataclasses import dataclass

Name = str | int


@dataclass(frozen=True)
class ResultPaths:
    """The paths of a study's results, relative to the project's folder."""

    study: str

    @property
    def root(self) -> str:
        """`results/{study}`: everything but the archive's workflow records is below it."""
        return f"results/{self.study}"

    # --- problems

    def source(self, file: Name) -> str:
        """A pinned public file."""
        return f"{self.root}/sources/{file}"

    def problems(self, dataset: Name) -> str:
        """A problem set, or the questions of a benchmark."""
        return f"{self.root}/problems/{dataset}.jsonl"

    def problems_record(self, dataset: Name) -> str:
        """What was noticed as a problem set was read."""
        return f"{self.root}/problems/{dataset}.json"

    def solutions(self, dataset: Name) -> str:
        """Worked solutions, for fine-tuning."""
        return f"{self.root}/solutions/{dataset}.jsonl"

    def audit(self, dataset: Name) -> str:
        """The audit of a problem set's gold answers: one row per finding."""
        return f"{self.root}/audits/{dataset}.parquet"

    def audit_record(self, dataset: Name) -> str:
        """The audit's counts."""
        return f"{self.root}/audits/{dataset}.json"

    # --- runs

    @property
    def base(self) -> str:
        """The base policy, a folder."""
        return f"{self.root}/base"

    def run(self, arm: Name, seed: Name) -> str:
        """The folder of a run."""
        return f"{self.root}/runs/{arm}/seed{seed}"

    def rollouts(self, arm: Name, seed: Name) -> str:
        """One row per rollout of a run."""
        return f"{self.run(arm, seed)}/rollouts.parquet"

    def metrics(self, arm: Name, seed: Name) -> str:
        """One row per training step of a run."""
        return f"{self.run(arm, seed)}/metrics.parquet"

    def run_record(self, arm: Name, seed: Name) -> str:
        """Where a run came from and what it cost."""
        return f"{self.run(arm, seed)}/run.json"

    def policy(self, arm: Name, seed: Name, step: Name) -> str:
        """A trained policy, a folder."""
        return f"{self.run(arm, seed)}/policy/step{step}"

    def kept_state(self, arm: Name, seed: Name, step: Name) -> str:
        """What other runs start from, a folder."""
        return f"{self.run(arm, seed)}/state/step{step}"

    def state(self, job: str) -> str:
        """The working folder of a job that can be resumed; no output of any rule."""
        return f"{self.root}/state/{job}"

    # --- scores

    def samples(self, source: Name) -> str:
        """Responses of the base that a score is made from."""
        return f"{self.root}/samples/{source}.parquet"

    def samples_record(self, source: Name) -> str:
        """What the base's responses cost."""
        return f"{self.root}/samples/{source}.json"

    def curves(self, source: Name) -> str:
        """Learning curves: one row per problem and epoch."""
        return f"{self.root}/trajectories/{source}.parquet"

    def curves_record(self, source: Name) -> str:
        """What was noticed as learning curves were read."""
        return f"{self.root}/trajectories/{source}.json"

    def scores(self, selector: Name) -> str:
        """One score per problem."""
        return f"{self.root}/scores/{selector}.parquet"

    def scores_record(self, selector: Name) -> str:
        """What was noticed as published scores were read."""
        return f"{self.root}/scores/{selector}.json"

    def subset(self, arm: Name) -> str:
        """The problems of an arm."""
        return f"{self.root}/subsets/{arm}.jsonl"

    def subset_record(self, arm: Name) -> str:
        """How an arm's problems were chosen."""
        return f"{self.root}/subsets/{arm}.json"

    def diagnostics(self, selector: Name) -> str:
        """How sure each score is."""
        return f"{self.root}/diagnostics/{selector}.parquet"

    def diagnostics_by_epoch(self, selector: Name) -> str:
        """How the scores of fewer epochs agree with the whole."""
        return f"{self.root}/diagnostics/{selector}.epochs.parquet"

    # --- evaluations

    def evaluation(self, arm: Name, seed: Name, step: Name, benchmark: Name) -> str:
        """One row per response of a policy to a benchmark."""
        return f"{self.root}/evals/{arm}/seed{seed}/step{step}/{benchmark}.parquet"

    def evaluation_record(self, arm: Name, seed: Name, step: Name, benchmark: Name) -> str:
        """An evaluation's accuracy with n and interval."""
        return f"{self.root}/evals/{arm}/seed{seed}/step{step}/{benchmark}.json"

    def overlaps(self, benchmark: Name) -> str:
        """What a benchmark's questions share with training problems."""
        return f"{self.root}/overlaps/{benchmark}.parquet"

    def collected(self, table: str) -> str:
        """All evaluations, metrics or opinions of a study in one table."""
        return f"{self.root}/collected/{table}.parquet"

    # --- report

    def table(self, table: Name, suffix: str) -> str:
        """A table: tsv, md, tex."""
        return f"{self.root}/tables/{table}.{suffix}"

    def figure(self, figure: Name, suffix: str) -> str:
        """A figure: pdf, png, its data as tsv, its caption as txt."""
        return f"{self.root}/figures/{figure}.{suffix}"

    @property
    def report(self) -> str:
        """The page."""
        return f"{self.root}/report.html"

    @property
    def headline(self) -> str:
        """The lines that a run ends with."""
        return f"{self.root}/headline.txt"

    @property
    def archive(self) -> str:
        """The study in one file."""
        return f"{self.root}/archive/{self.study}.zip"

    def preflight(self, work: Name) -> str:
        """A look at a node with GPUs."""
        return f"{self.root}/preflight/{work}.json"

    def log(self, rule: str, job: str) -> str:
        """A job's log."""
        return f"{self.root}/logs/{rule}/{job}.log"

    def benchmark(self, rule: str, job: str) -> str:
        """A job's time and memory, as Snakemake measures them."""
        return f"{self.root}/benchmarks/{rule}/{job}.tsv"
