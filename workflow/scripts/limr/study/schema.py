"""The keys of a study and of a benchmark file: their types, defaults and meanings."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from limr.core.validation import (
    ABSENT,
    EACH_ONCE,
    ByName,
    Keys,
    Name,
    Number,
    OneOf,
    key,
    named,
    without_defaults,
)
from limr.grading.settings import Grader
from limr.grading.strictness import STRICTNESS

Step = Annotated[int, Field(ge=0)]
Steps = Annotated[list[Step], EACH_ONCE]
Share = Annotated[Number, Field(gt=0, le=1)]
Betas = Annotated[
    list[Annotated[Number, Field(ge=0, lt=1)]],
    Field(min_length=2, max_length=2, description="Adam's decay rates."),
]
MaxGradNorm = Annotated[Number, Field(gt=0, description="Gradient clipping.")]
DeadProblems = Literal["keep", "exclude", "exclude-paper"]


class Dataset(Keys):
    """A problem set; the keys of its reader follow."""

    plug_in: ClassVar[tuple[str, str] | None] = ("datasets", "source")
    source: str = key(..., "Which reader or generator: a file in `limr/problems/datasets/`.")
    file: str = key(ABSENT, "A pinned file of `config/sources.yaml` that the reader takes.")
    path: str = key(
        ABSENT,
        "A file of your own that the reader takes, instead of `file`; relative to the folder in "
        "which Snakemake runs.",
    )
    levels_file: str = key(
        ABSENT,
        "A pinned file with `problem` and `level`, for problems that have no levels of their own; "
        "joined by text.",
    )
    overrides: str = key(
        ABSENT, "A file of corrected gold answers, with reasons; see `config/overrides/`."
    )


class Engine(Keys):
    """Which engine does what."""

    train: str = key("embedded", "Engine of base models and training runs.")
    generate: str = key("embedded", "Engine of evaluations.")


class Reward(Keys):
    """A rule of reward; the keys of the rule follow."""

    plug_in: ClassVar[tuple[str, str] | None] = ("rewards", "rule")
    rule: str = key("verdict", "How a rollout is paid: a file in `limr/grading/rewards/`.")


class Sampler(Keys):
    """Which problems a training step draws; the keys of the sampler follow."""

    plug_in: ClassVar[tuple[str, str] | None] = ("samplers", "name")
    name: str = key(..., "How problems are drawn: a file in `limr/train/samplers/`.")


def _by_name(value: Any) -> Any:
    """Read a name alone as a sampler with its defaults."""
    return {"name": value} if isinstance(value, str) else value


class Ppo(Keys):
    """Hyper-parameters of PPO."""

    steps: int = key(168, "Training steps; each samples one batch of prompts.", ge=1)
    prompts_per_step: int = key(1024, "Rollout batch in prompts.", ge=1)
    samples_per_prompt: int = key(8, "Rollouts per prompt and step.", ge=1, le=127)
    temperature: Number = key(1.2, "Sampling temperature of rollouts.", gt=0)
    top_p: Number = key(1.0, "Nucleus of rollouts.", gt=0, le=1)
    train_batch_size: int = key(256, "Rollouts per optimizer step.", ge=1)
    epochs_per_batch: int = key(1, "Passes over a batch of rollouts.", ge=1)
    actor_learning_rate: Number = key(5.0e-7, "Learning rate of the policy.", gt=0)
    critic_learning_rate: Number = key(9.0e-6, "Learning rate of the critic.", gt=0)
    warmup_steps: int = key(10, "Optimizer steps of linear learning-rate warm-up.", ge=0)
    adam_betas: Betas = key([0.9, 0.95])
    gamma: Number = key(1.0, "Discount.", gt=0, le=1)
    gae_lambda: Number = key(0.95, "Lambda of generalised advantage estimation.", ge=0, le=1)
    clip: Number = key(0.2, "Clip range of the policy's ratio.", gt=0)
    value_clip: Number = key(0.2, "Clip range of the value.", gt=0)
    kl_coefficient: Number = key(0.01, "Weight of the KL penalty to the reference policy.", ge=0)
    max_grad_norm: MaxGradNorm = 1.0
    max_prompt_tokens: int = key(1024, "Longer prompts are refused before training.", ge=1)
    max_response_tokens: int = key(3072, "Longest response, including the end token.", ge=2)
    whiten_advantages: bool = key(
        True, "Whether advantages of a batch are scaled to mean 0 and standard deviation 1."
    )
    drop_last: bool = key(
        True, "Whether an epoch's last, incomplete batch is left out, as the paper's loader did."
    )


class Sft(Keys):
    """Hyper-parameters of supervised fine-tuning."""

    steps: int = key(300, "Optimizer steps.", ge=1)
    batch_size: int = key(16, "Solutions per optimizer step.", ge=1)
    learning_rate: Number = key(5.0e-6, "Peak learning rate.", gt=0)
    warmup_steps: int = key(0, "Steps of linear learning-rate warm-up.", ge=0)
    adam_betas: Betas = key([0.9, 0.95])
    max_grad_norm: MaxGradNorm = 1.0


@without_defaults
class PpoChanges(Ppo):
    """Keys of `ppo` that are otherwise in an arm."""


@without_defaults
class SftChanges(Sft):
    """Keys of `sft` that are otherwise in an arm."""


class Trajectories(Keys):
    """Learning curves, or published scores; the keys of their format follow."""

    plug_in: ClassVar[tuple[str, str] | None] = ("importers", "format")
    format: str = key(..., "What the source is: a file in `limr/trajectories/importers/`.")
    arm: str = key(ABSENT, "With `seed`: the run of this study whose rollouts are read.")
    seed: int | Literal["each"] = key(
        ABSENT,
        "The run's seed; or `each`: each seed's own run, scored and chosen from for itself "
        "(docs/online.md).",
    )
    path: str = key(ABSENT, "A file of your own, or the folder of a log's files.")
    file: str | Annotated[list[str], Field(min_length=1)] = key(
        ABSENT, "A pinned file of `config/sources.yaml`, or several that are read as one."
    )
    dataset: str = key(
        ABSENT, "The problem set that its ids belong to; the study's own by default."
    )


class Score(Keys):
    """A selector over learning curves; its own keys follow."""

    plug_in: ClassVar[tuple[str, str] | None] = ("selectors", "selector")
    selector: str = key(..., "How problems are scored: a file in `limr/scores/selectors/`.")
    trajectories: str = key(ABSENT, "Name of the learning curves or of the published scores.")
    dataset: str = key(ABSENT, "The problem set to score; the study's own by default.")
    draws: int = key(
        1,
        "Independent draws of a seeded selector; more than one gives `name-1`, `name-2`, and so "
        "on.",
        ge=1,
    )
    seed: Annotated[int, Field(ge=0)] | Literal["each"] = key(
        0, "Seed of a seeded selector and of ties; `each`: the seed of the run that it is for."
    )


class Diagnostics(Keys):
    """How sure scores are."""

    draws: int = key(
        1000, "How often all samples are drawn again and all scores are recomputed.", ge=2
    )
    level: Number = key(0.95, "Level of the intervals.", gt=0, lt=1)


class Backtest(Keys):
    """How selectors are tested on the learning curves of the study."""

    size: int | None = key(None, "Problems to choose; null: a `share` of them.", ge=1)
    share: Number | None = key(
        None,
        "The share of the problems to choose; null: a sixth, about what the paper keeps.",
        gt=0,
        le=1,
    )
    horizon: int = key(1, "Epochs that are looked at after a choice.", ge=1)
    first: int = key(1, "The first choice is made from so many epochs.", ge=1)
    draws: int = key(500, "Of the bootstrap over problems.", ge=2)
    level: Number = key(0.95, "Level of the intervals.", gt=0, lt=1)


class Overlapping(Keys):
    """Which questions count as overlapping."""

    words: int = key(8, "Length of the n-grams in words; one of `words`.", ge=1)
    share: Number = key(
        0.5, "Least share of a question's n-grams that appear in one training problem.", gt=0, le=1
    )


class Contamination(Keys):
    """What benchmark questions share with training problems."""

    words: Annotated[list[Annotated[int, Field(ge=1, le=100)]], EACH_ONCE] = key(
        [8, 13], "Lengths in words of the n-grams that are looked for.", min_length=1
    )
    thresholds: Annotated[list[Share], EACH_ONCE] = key(
        [0.5, 0.8],
        "Shares of a question's n-grams from which the table counts it.",
        min_length=1,
    )
    overlapping: Overlapping = key(
        {},
        "Which questions `clean-results` leaves out, beside those with the text of a training "
        "problem.",
    )
    longest: int = key(20000, "How many characters of a text are looked at.", ge=100, le=1_000_000)


class Start(Keys):
    """Where an arm's runs go on from."""

    arm: str = key(..., "The arm whose run, of the same seed, is gone on from.")
    step: int = key(..., "The step after which; the arm's own steps follow it.", ge=1)
    optimizer: Literal["kept", "fresh"] = key(
        "kept",
        "`fresh`: policy and critic are kept, both optimizers begin anew (is it the data, or the "
        "restart?); the arm's `ppo` may then change learning rates, `warmup_steps` and "
        "`adam_betas`.",
    )


class Rounds(Keys):
    """Choose, go on, choose again."""

    every: int = key(..., "Steps of a round.", ge=1)
    times: int = key(..., "How many rounds follow the start; each begins with a choice.", ge=2)


class Arm(Keys):
    """A way of making a policy."""

    train: Literal["none", "ppo", "sft"] = key(
        ...,
        "`none` without a score is the base policy itself; with a score it is a subset that "
        "nothing is trained on.",
    )
    title: str = key(ABSENT, "Name in tables and figures; the arm's name by default.")
    score: str = key(ABSENT, "The score that selects its problems.")
    threshold: Number = key(ABSENT, "Keep problems with at least this score.")
    strict: bool = key(False, "Keep only problems above the threshold.")
    size: Annotated[int, Field(ge=1)] | str = key(
        ABSENT, "Keep this many of the best; or the name of an arm: as many as that arm has."
    )
    start: Start = key(
        ABSENT,
        "The run of another arm that this one goes on from, instead of the base: its policy, "
        "critic and optimizers (docs/online.md). `ppo.steps` counts from the base.",
    )
    rounds: Rounds = key(
        ABSENT,
        "Choose again after every round, from all rollouts so far; with `start` and a score of "
        "learning curves (docs/online.md).",
    )
    ppo: PpoChanges = key(
        ABSENT, "Keys of `ppo` that differ in this arm, such as `steps` of a longer run."
    )
    sft: SftChanges = key(ABSENT, "Keys of `sft` that differ in this arm.")
    evaluate_steps: Steps = key(
        ABSENT,
        "Steps whose policies this arm keeps and evaluates, instead of `evaluate.ppo_steps` or "
        "`evaluate.sft_steps`.",
        min_length=1,
    )
    reward: Reward = key(
        ABSENT,
        "What this arm's rollouts are paid, instead of the study's `reward`: a rule and its "
        "options.",
    )
    grader: Grader = key(
        ABSENT,
        "How this arm's rollouts are judged, instead of by the study's `grader`, which judges "
        "evaluations in any case.",
    )
    sampler: Annotated[Sampler, BeforeValidator(_by_name)] = key(
        ABSENT,
        "Which of its problems a step draws, from what was seen so far: a sampler's name, or a "
        "mapping with its options (docs/samplers.md). Without it every epoch goes through all.",
    )
    dead_problems: DeadProblems = key(ABSENT, "Instead of the study's `dead_problems`.")
    template: str = key(
        ABSENT,
        "The prompt template that an arm which is the base is asked with, instead of "
        "`base.template`.",
    )


class Decoding(Keys):
    """A way of drawing responses."""

    name: Name = key(..., "Name in tables.")
    samples: int = key(..., "Responses per problem.", ge=1)
    temperature: Number = key(..., "Sampling temperature; 0 is greedy.", ge=0)
    top_p: Number = key(1.0, "Nucleus.", gt=0, le=1)
    max_tokens: int = key(..., "Longest response, including the end token.", ge=2)


Decodings = Annotated[
    list[Decoding],
    Field(min_length=1, description="How responses are drawn; the first one is the headline."),
]


Strictness = Annotated[
    str,
    OneOf(STRICTNESS),
    Field(description="How strictly answers are compared, instead of by `grader.strictness`."),
]


class BenchmarkChanges(Keys):
    """Keys of a benchmark that a study replaces, or a benchmark of its own."""

    title: str = key(ABSENT, "Name in tables and figures; its name here by default.")
    version: int = key(
        ABSENT, "Raised when a change makes results incomparable; 1 by default.", ge=1
    )
    dataset: Dataset = key(
        ABSENT, "The problems of a benchmark of your own: keys as in `datasets`."
    )
    decodings: Decodings = ABSENT
    strictness: Strictness = ABSENT


class Benchmark(Keys):
    """A benchmark file: config/benchmarks/{benchmark}.yaml."""

    version: int = key(..., "Raised when a change makes results incomparable.", ge=1)
    title: str = key(..., "Name in tables and figures.")
    dataset: Dataset = key(..., "The problems.")
    decodings: Decodings
    strictness: Strictness = ABSENT


class Evaluate(Keys):
    """Which policies are evaluated, and on what."""

    ppo_steps: Steps = key(
        [], "Steps of PPO arms whose policies are kept and evaluated; 0 is the base."
    )
    sft_steps: Steps = key([], "Steps of fine-tuned arms whose policies are kept and evaluated.")
    benchmarks: dict[Name, BenchmarkChanges] = key(
        {},
        "Benchmarks by name: files in `config/benchmarks/`, of which an entry may replace keys, or "
        "described here.",
    )


class Declared(Keys):
    """What a study sets out to show."""

    arm: str = key(
        ABSENT,
        "The arm of the primary comparison; by default the first that PPO trains on chosen "
        "problems.",
    )
    against: str = key(
        ABSENT,
        "The arm that it is compared with; by default the first that PPO trains on all problems, "
        "else the first random one.",
    )
    claim: Literal["difference", "equivalence"] = key(
        "difference",
        "What is to be shown: that the two differ, or that they do not by more than `margin`.",
    )
    margin: Number = key(
        ABSENT,
        "Largest difference, in points of accuracy, that counts as none; `claim: equivalence` "
        "needs it, else it is optional.",
        gt=0,
        le=100,
    )
    level: Number = key(
        0.95,
        "Level of every interval of the results; tests are made at 1 - level.",
        ge=0.5,
        le=0.9999,
    )
    weights: dict[str, Annotated[Number, Field(gt=0)]] = key(
        {},
        "Weight of each reported benchmark in the mean, all of them or none; each counts the same "
        "by default.",
    )
    validation: str = key(
        ABSENT,
        "A benchmark under `evaluate` that is held out to choose steps by; it is never reported.",
    )
    checkpoint: Literal["last", "validation"] = key(
        "last",
        "Which evaluated step of a run is reported: the last, or the one that is best on the "
        "benchmark `validation` (the earliest of equals).",
    )


class Report(Keys):
    """What the report's page holds."""

    texts: bool = key(
        True,
        "Whether texts of problems and responses are part of it; `false` for a page to pass on "
        "where a data set's licence does not allow that.",
    )


class Archive(Keys):
    """What goes into the archive."""

    responses: bool = key(
        True, "Whether the texts of responses go in; without them, the report does not either."
    )
    policies: bool = key(
        False, "Whether trained policies go in; the base does where this study made it."
    )
    states: bool = key(
        ABSENT, "Whether states that arms start from go in, where they are kept (`states: keep`)."
    )
    own_files: Annotated[list[str], EACH_ONCE] = key(
        [],
        "Entries of `datasets`, `trajectories` and `scores` whose own files may be passed on; of "
        "others only ids and sha256 go in.",
    )


AxisValue = bool | Number | str


class Axis(Keys):
    """An axis of a sweep."""

    set: str | Annotated[list[str], EACH_ONCE, Field(min_length=1)] = key(
        ...,
        "The key that takes each value, or several that move together: one of an entry of "
        "`datasets`, `trajectories`, `scores` or `arms`, dotted (`arms.limr.size`). `arms.*.ppo.x` "
        "is that of every arm with `train: ppo`.",
    )
    to: Annotated[list[AxisValue], EACH_ONCE] = key(
        ..., "Its values: numbers, texts, true or false.", min_length=1
    )


class Study(Keys):
    """A study."""

    study: Name = key(..., "Name of the study; its results are in `results/{study}/`.")
    seeds: Steps = key(..., "One run of every arm for each seed.", min_length=1)
    mirror: str | None = key(
        None,
        "Folder to take pinned files from instead of the network; the variable LIMR_MIRROR goes "
        "before it.",
    )
    datasets: dict[Name, Dataset] = key(..., "Problem sets by name.", min_length=1)
    dataset: str = key(
        ...,
        "The problem set that arms train on and that scores are given to, unless they name "
        "another.",
    )
    engine: Engine = key({}, "Who trains and who generates; files in `limr/train/engines/`.")
    engines: Annotated[dict[str, Any], ByName("engines")] = key(
        {}, "Options of each engine, by the engine's name."
    )
    base: Any = key(
        {},
        "The base policy that every arm starts from; its keys are those of the training engine.",
    )
    grader: Grader = key({}, "How responses are judged, for rewards and for evaluations alike.")
    second_opinion: Grader = key(
        {"preset": "paper"},
        "Another rule that judges the responses of evaluations again, where a table asks for it "
        "(`second-opinion`). Keys as in `grader`.",
    )
    reward: Reward = key(
        {}, "What a rollout is paid; a rule and its options (the paper's: section 2.3)."
    )
    ppo: Ppo = key(
        {},
        "Hyper-parameters of PPO; the defaults are the paper's (section 4.1 and its launch "
        "script).",
    )
    sft: Sft = key({}, "Hyper-parameters of supervised fine-tuning.")
    trajectories: dict[Name, Trajectories] = key(
        {}, "Learning curves by name, from a run of this study or from a file."
    )
    scores: dict[Name, Score] = key(
        ..., "Scores by name; each is a selector over learning curves.", min_length=1
    )
    diagnostics: Diagnostics = key(
        {}, "How sure scores are; computed where a table or a figure asks for it."
    )
    backtest: Backtest = key(
        {},
        "Which selector would have gone on finding problems with a signal (docs/backtest.md); "
        "computed where a table or a figure asks for it (`backtest`).",
    )
    contamination: Contamination = key(
        {},
        "What benchmark questions share with training problems (docs/contamination.md); measured "
        "where a table asks for it (`contamination`).",
    )
    arms: dict[Name, Arm] = key(
        ..., "Ways of making a policy; each is trained once per seed.", min_length=1
    )
    sweep: dict[Name, Axis] = key(
        ABSENT,
        "Axes by name, at most four: every combination of their values is a cell, and what depends "
        "on a key that is set is copied for each, as `limr-size64` (docs/sweeps.md).",
        min_length=1,
        max_length=4,
    )
    states: Literal["temporary", "keep"] = key(
        ABSENT,
        "What becomes of states that arms start from: `temporary`, the default, deletes each when "
        "its last use is done, so that another choice repeats the run before it; `keep` keeps "
        "them.",
    )
    leave_out: Annotated[list[Name], EACH_ONCE] = key(
        [],
        "Arms that are not made, such as those whose files cannot be had here; scores and problem "
        "sets that no other arm needs are left out with them.",
    )
    dead_problems: DeadProblems = key(
        "keep",
        "Whether subsets leave out problems that cannot be rewarded (an audit of the answers finds "
        "them): `exclude` those whose gold answer the study's grader cannot reward, "
        "`exclude-paper` those that the published reward could not.",
    )
    evaluate: Evaluate = key({}, "Which policies are evaluated, and on what.")
    declared: Declared = key(
        {},
        "What the study sets out to show, written down before it runs (docs/statistics.md). A "
        "change trains and evaluates nothing again; the report shows it.",
    )
    tables: Annotated[dict[str, Any], ByName("tables")] = key(
        {}, "Tables to make, with options; files in `limr/report/tables/`."
    )
    figures: Annotated[dict[str, Any], ByName("figures")] = key(
        {}, "Figures to draw, with options; files in `limr/report/figures/`."
    )
    report: Report = key({}, "What the report's page holds.")
    archive: Archive = key({}, "What goes into `archive/{study}.zip` (docs/archive.md).")

    @field_validator("base", mode="plain")
    @classmethod
    def _base(cls, value: Any, info: ValidationInfo) -> Any:
        """Check the base by the keys of the engine that trains."""
        engine = info.data.get("engine")  # absent where it is wrong itself
        if engine is None:
            return value
        keys: type[Keys] = getattr(named("engines", engine.train), "Base", Keys)
        return keys.model_validate(value)
