# Takes: STUDY. Makes: the functions and lists from which rules take inputs and params, by stage.

# --- any stage


def code(script, *used):
    """Return the digest of all library modules that a rule's script uses."""
    return code_digest(script, [plugins.module_name(kind, name) for kind, name in used])


def engine(kind):
    """Return the plug-in key of the engine that trains or generates."""
    return ("engines", STUDY.config["engine"][kind])


def engine_options(kind):
    """Return the options of the engine that trains or generates, without its free ones."""
    return options_of(kind)[0]


def free_options(kind):
    """Return a param of the options that decide what fits, not what comes out (an engine's NOT_IN_DIGEST).

    A function that asks for threads makes it one that Snakemake does not compare: who lowers them
    to go on after a lack of memory does not repeat the runs that are done.
    """
    return lambda wildcards, threads: options_of(kind)[1]


def options_of(kind):
    """Return an engine's options in two parts: those that count, and the free ones."""
    options = STUDY.config["engines"].get(STUDY.config["engine"][kind], {})
    return split_options(
        options, getattr(plugins.load(*engine(kind)), "NOT_IN_DIGEST", ())
    )


def engine_environment(kind):
    """Return the environment file of an engine, as seen from a rule file."""
    # An engine that is only planned has no environment yet, and its jobs are never started.
    return (
        f"../../envs/{getattr(plugins.load(*engine(kind)), 'ENVIRONMENT', 'data')}.yaml"
    )


def engine_container(kind):
    """Return the image that an engine's jobs run in, where the user has some (LIMR_CONTAINERS)."""
    name = getattr(plugins.load(*engine(kind)), "ENVIRONMENT", "data")
    try:
        return containers.image(name, ROOT / "envs")
    except InputError as error:
        raise WorkflowError(str(error)) from None


def judge(key):
    """Return a digest of the grader of another package that a study names; "" without one."""
    plugin = STUDY.config[key]["plugin"]
    return grading_plugins.digest(plugin) if plugin else ""


def gpus(kind, work):
    """Return the resources of a job that needs GPUs, as SLURM's executor wants them (docs/slurm.md).

    On one node `gpu` and `nodes` go together, or SLURM spreads the GPUs over nodes. On several, one
    task a node makes the rule run beside them, and it starts the nodes itself.
    """
    planned = plan(kind)
    if planned is None:
        return {}
    nodes, each = planned.gpus(STUDY, work)
    partition = os.environ.get("LIMR_SLURM_GPU_PARTITION")
    where = {"slurm_partition": partition} if partition else {}
    # Of a node: a share of the memory and cores that nodes of eight GPUs commonly have.
    node = {"nodes": nodes, "mem_mb": 120_000 * each, "cpus_per_task": 8 * each}
    if nodes == 1:
        return {"gpu": each, **node, **where}
    asked = {"gres": f"gpu:{each}", "tasks": nodes, "tasks_per_gpu": 0, "mpi": "srun"}
    extra = "--open-mode=append --ntasks-per-node=1"
    return {**asked, **node, "slurm_extra": extra, **where}


def plan(kind):
    """Return the module that says what the engine that trains or generates needs GPUs for."""
    name = STUDY.config["engine"][kind]
    known = plugins.names("plans")
    return plugins.load("plans", name) if name in known else None


def one_gpu():
    """Return the resources of a look at a node: one GPU, so that it does not wait for long."""
    partition = os.environ.get("LIMR_SLURM_GPU_PARTITION")
    where = {"slurm_partition": partition} if partition else {}
    return {"gpu": 1, "nodes": 1, "mem_mb": 16_000, "runtime": 15, **where}


def looks():
    """Return the looks at compute nodes that a study wants: where GPUs have work left."""
    left = {
        "train": any(not Path(path).exists() for path in RUN_RECORDS),
        "generate": any(not Path(path).exists() for path in ALL_EVALUATION_FILES),
    }
    return [
        f"{RESULTS}/preflight/{kind}.json"
        for kind in left
        if left[kind] and plan(kind) is not None
    ]


def problems(dataset):
    """Return the path of a problem set."""
    return f"{RESULTS}/problems/{dataset}.jsonl"


def pinned_files(entry):
    """Return the pinned files of a configured entry, if it has any."""
    return [f"{RESULTS}/sources/{name}" for name in files_of(entry)]


def own_files(path, kind, name):
    """Return the files of a user's own file or folder, as the plug-in that reads it wants them."""
    return own_files.expand(Path(path), plugins.load(kind, name))


# --- training


def training_settings(arm):
    """Return what an arm's run is told, of either kind of training."""
    about = STUDY.arms[arm]
    return {
        "engine": STUDY.config["engine"]["train"],
        "options": engine_options("train"),
        "grader": about.grader,
        about.train: about.settings,
        "steps": list(about.steps),
    }


def reward_plugin(arm):
    """Return the plug-in key of an arm's reward."""
    return ("rewards", STUDY.arms[arm].reward["rule"])


# --- scores

TRAJECTORIES = STUDY.config["trajectories"]
# Sources that hold scores instead of learning curves, such as the published ones.
PUBLISHED = [
    name
    for name, entry in TRAJECTORIES.items()
    if plugins.load("importers", entry["format"]).PROVIDES == "scores"
]


def source_paths(entry):
    """Return the files that an entry of `trajectories` reads."""
    sampled = [name for name in STUDY.sampled if TRAJECTORIES[name] is entry]
    if sampled:
        return [f"{RESULTS}/samples/{sampled[0]}.parquet"]
    if entry.get("arm"):
        return [f"{RESULTS}/runs/{entry['arm']}/seed{entry['seed']}/rollouts.parquet"]
    if entry.get("path"):
        return own_files(entry["path"], "importers", entry["format"])
    return pinned_files(entry)


def dataset_file(entry):
    """Return the file that an entry of `datasets` reads, if it reads one."""
    if entry.get("path"):
        return entry["path"]
    return f"{RESULTS}/sources/{entry['file']}" if entry.get("file") else []


def levels_file(entry):
    """Return the pinned file that an entry of `datasets` takes levels from, if it does."""
    return (
        f"{RESULTS}/sources/{entry['levels_file']}" if entry.get("levels_file") else []
    )


def source_settings(entry):
    """Return what an importer is told; a run of this study has its arm's rewards."""
    if entry.get("arm") and "rewards" in entry and entry["rewards"] is None:
        return {**entry, "rewards": rewards.values(STUDY.arms[entry["arm"]].reward)}
    return entry


def sampling_settings(entry):
    """Return how the base is asked where an entry of `trajectories` is its responses."""
    return {
        "engine": STUDY.config["engine"]["generate"],
        "options": engine_options("generate"),
        "grader": STUDY.config["grader"],
        "decoding": plugins.load("importers", entry["format"]).decoding(entry),
        "draw": entry["draw"],
    }


def source_problems(entry):
    """Return the problem set that the ids of an entry of `trajectories` are of."""
    return problems(entry.get("dataset") or STUDY.config["dataset"])


def importer(source):
    """Return the plug-in key of a source's importer."""
    return ("importers", TRAJECTORIES[source]["format"])


def source_of(selector):
    """Return the name of the learning curves that a score reads, or None."""
    return STUDY.scores[selector].get("trajectories")


# --- subsets


def size_like(arm):
    """Return the record of the arm whose size an arm takes, if it takes one's."""
    size = STUDY.arms[arm].cut.get("size")
    return f"{RESULTS}/subsets/{size}.json" if isinstance(size, str) else []


def curves_behind(arm):
    """Return the learning curves behind an arm's score: for the count of never-solved problems."""
    source = source_of(STUDY.arms[arm].score)
    if source is None or source in PUBLISHED:
        return []
    return f"{RESULTS}/trajectories/{source}.parquet"


def origin(arm):
    """Return where an arm's scores are from, for the subset's record."""
    score = STUDY.arms[arm].score
    entry = STUDY.scores[score]
    made = {"score": score, "trajectories": entry["trajectories"]}
    if entry["trajectories"] in PUBLISHED:
        return {**made, "format": TRAJECTORIES[entry["trajectories"]]["format"]}
    return {**made, "selector": entry["selector"], "options": entry["options"]}


def selector_plugin(arm):
    """Return the plug-in key of the selector behind an arm: its warnings go into the record."""
    name = origin(arm).get("selector")
    return [("selectors", name)] if name else []


# --- audits of gold answers

# Where a table shows them, or subsets leave dead problems out.
AUDITED = any(STUDY.arms[arm].dead_problems != "keep" for arm in STUDY.selected) or any(
    {"audits", "findings"} & set(plugins.load(kind, name).REQUIRES)
    for kind in ("tables", "figures")
    for name in STUDY.config[kind]
)


def audit_behind(arm):
    """Return the audit of an arm's problem set, where audits are made."""
    return f"{RESULTS}/audits/{STUDY.arm_dataset(arm)}.parquet" if AUDITED else []


# --- diagnostics

# The scores whose samples can be drawn again: made from learning curves, by no random selector.
DIAGNOSED = [
    name
    for name, entry in STUDY.scores.items()
    if plugins.load("selectors", entry["selector"]).NEEDS_TRAJECTORIES
    and not plugins.load("selectors", entry["selector"]).SEEDED
    and source_of(name) not in PUBLISHED
]


def first_subset(selector, suffix):
    """Return the subset of the first arm that is cut from a score, if there is one."""
    arms = [
        name
        for name in STUDY.selected
        if STUDY.arms[name].score == selector and STUDY.arms[name].cut
    ]
    return f"{RESULTS}/subsets/{arms[0]}.{suffix}" if arms else []


# --- evaluations

EVALUATED = {arm: list(STUDY.arms[arm].steps) for arm in STUDY.base + STUDY.trained}
EVALUATING = {"evaluate": "ppo", "evaluate_sft": "sft", "evaluate_base": "none"}
# (rule, steps, arms): the outputs of one rule are evaluations of the same steps.
EVALUATIONS = [
    (f"{name}{suffix}", steps, arms)
    for name, train in EVALUATING.items()
    for suffix, (steps, arms) in STUDY.variants(train).items()
]


def share_resources():
    """Give what a profile or --set-resources says of a rule to its variants of other steps too."""
    told = workflow.resource_settings._parsed_overwrite_resources
    varied = {"train_ppo": "ppo", "train_sft": "sft", **EVALUATING}
    for name, train in varied.items():
        for suffix in filter(None, STUDY.variants(train)):
            variant = workflow.get_rule(f"{name}{suffix}")
            for source in (name, variant.name):
                variant.resources.update(told.get(source, {}))


def asking_options(arm):
    """Return the options of the engine that generates; an arm of the base may have a template."""
    template = STUDY.arms[arm].template
    return {
        **engine_options("generate"),
        **({"template": template} if template else {}),
    }


def evaluations(steps, suffix):
    """Return the evaluations of a run at some steps, on every benchmark."""
    return [
        f"{RESULTS}/evals/{{arm}}/seed{{seed}}/step{step}/{benchmark}.{suffix}"
        for step in steps
        for benchmark in STUDY.benchmarks
    ]


def policies(arm):
    """Return the policies of a run that are evaluated; those of a base arm are the base."""
    if arm in STUDY.base:
        return [f"{RESULTS}/base"]
    return [f"{RUN}/policy/step{step}" for step in EVALUATED[arm]]


# --- report

# In the order of the study: arms, then seeds.
RUNS = [
    {
        "arm": arm.name,
        "group": arm.group,
        "train": arm.train,
        "seed": seed,
    }
    for arm in STUDY.arms.values()
    if arm.name in EVALUATED
    for seed in STUDY.seeds
]
TRAINED_RUNS = [run for run in RUNS if run["train"] != "none"]
RUN_RECORDS = [
    f"{RESULTS}/runs/{{arm}}/seed{{seed}}/run.json".format(**run)
    for run in TRAINED_RUNS
]
# What is read for costs, in the order of RESULT_FILES["runs"].
COSTED = [*TRAINED_RUNS, *({"source": source} for source in STUDY.sampled)]
ALL_EVALUATIONS = [
    {**run, "step": step, "benchmark": benchmark}
    for run in RUNS
    for step in EVALUATED[run["arm"]]
    for benchmark in STUDY.benchmarks
]
ALL_EVALUATION_FILES = [
    f"{RESULTS}/evals/{{arm}}/seed{{seed}}/step{{step}}/{{benchmark}}.parquet".format(
        **key
    )
    for key in ALL_EVALUATIONS
]

# The learning curves that are read from rollouts of this study: the report shows responses of it.
CURVES = [name for name, entry in TRAJECTORIES.items() if entry.get("arm")]

# The problem sets that arms' problems are of.
SELECTED_FROM = list(dict.fromkeys(STUDY.arm_dataset(arm) for arm in STUDY.selected))

# What a table or a figure may ask for by its REQUIRES, or by its OPTIONAL where the study has it.
RESULT_FILES = {
    "evaluations": (
        f"{RESULTS}/collected/evaluations.parquet" if STUDY.benchmarks else []
    ),
    "metrics": f"{RESULTS}/collected/metrics.parquet" if STUDY.trained else [],
    "trajectories": [
        f"{RESULTS}/trajectories/{name}.parquet"
        for name in TRAJECTORIES
        if name not in PUBLISHED
    ],
    "scores": [f"{RESULTS}/scores/{name}.parquet" for name in STUDY.scores],
    "subsets": [
        f"{RESULTS}/subsets/{arm}.{suffix}"
        for arm in STUDY.selected
        for suffix in ("json", "jsonl")
    ],
    "diagnostics": [
        f"{RESULTS}/diagnostics/{name}.{suffix}"
        for name in DIAGNOSED
        for suffix in ("parquet", "epochs.parquet")
    ],
    "opinions": f"{RESULTS}/collected/opinions.parquet" if STUDY.benchmarks else [],
    "overlaps": [f"{RESULTS}/overlaps/{name}.parquet" for name in STUDY.benchmarks],
    "audits": [f"{RESULTS}/audits/{name}.json" for name in STUDY.datasets],
    "findings": [f"{RESULTS}/audits/{name}.parquet" for name in SELECTED_FROM],
    "problems": [problems(name) for name in STUDY.datasets],
    "runs": RUN_RECORDS
    + [f"{RESULTS}/samples/{source}.json" for source in STUDY.sampled],
    "paper": ours("config/paper.yaml"),
}


def material(kind, name, key):
    """Return the input of one sort that a table or figure asks for, or nothing."""
    plugin = plugins.load(kind, name)
    return (
        RESULT_FILES[key]
        if key in (*plugin.REQUIRES, *getattr(plugin, "OPTIONAL", ()))
        else []
    )


def shown(key):
    """Return material that the report speaks of where a table or a figure shows it."""
    found = [
        material(kind, name, key)
        for kind in ("tables", "figures")
        for name in STUDY.config[kind]
    ]
    return RESULT_FILES[key] if any(found) else []


def overview(kind, name):
    """Return what a table or figure is told of the study: the more, the more it asks for."""
    needs, told = plugins.load(kind, name).REQUIRES, STUDY.overview()
    if "scores" in needs:
        told["scores"] = {
            score: {key: entry[key] for key in ("selector", "trajectories")}
            for score, entry in STUDY.scores.items()
        }
    if "paper" in needs:
        told["decodings"] = STUDY.decodings()
    if "runs" in needs:
        told |= STUDY.costs()
    if "overlaps" in needs:
        told["contamination"] = STUDY.config["contamination"]
    return told


def report_plugins():
    """Return the plug-in keys of what the report asks for titles, kinds and caveats."""
    shown = [
        (kind, name) for kind in ("tables", "figures") for name in STUDY.config[kind]
    ]
    shown += [("selectors", entry["selector"]) for entry in STUDY.scores.values()]
    return [*shown, ("tables", "compute")]
