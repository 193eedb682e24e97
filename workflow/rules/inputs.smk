# Takes: STUDY. Makes: what rules ask of its plan of jobs (limr/study/jobs), and what only Snakemake
# can say: environments, containers, GPUs.

PLAN = plan.jobs(STUDY, pinned=SOURCES)
JOBS = {(job.rule, frozenset(job.wildcards.items())): job for job in PLAN}
AT = STUDY.paths
EVALUATED = [("evaluate", train) for train in ("ppo", "sft", "none") if STUDY.evaluated]


def planned(rule, wildcards):
    """Return the job of a rule with these wildcards."""
    found = JOBS.get((rule, frozenset(wildcards.items())))
    if found is None:
        asked = ", ".join(f"{key} {value}" for key, value in wildcards.items())
        raise WorkflowError(f"{STUDY.where}: no job of {rule} has {asked or 'a use'}.")
    return found


def inputs(rule):
    """Return an input function, for `unpack`: what the rule's job reads, by name."""

    def of_job(wildcards):
        read = dict(planned(rule, wildcards).input)
        if "page" in read:
            read["page"] = list(map(ours, read["page"]))
        return {**read, "paper": ours(read["paper"])} if "paper" in read else read

    return of_job


def settings(rule):
    """Return a param: what the rule's job is told of the study. Every key of it counts."""
    return lambda wildcards: planned(rule, wildcards).settings


def code(rule):
    """Return a param: the digest of all library modules that the rule's script uses."""

    def digest(wildcards):
        job = planned(rule, wildcards)
        modules = [plugins.module_name(kind, name) for kind, name in job.plugins]
        return code_digest(job.script, modules)

    return digest


def names(rule, wildcard):
    """Return a wildcard constraint: those names that the rule has jobs for."""
    return any_of({job.wildcards[wildcard] for job in PLAN if job.rule == rule})


def uncompared(work):
    """Return a param: an engine's options that decide what fits, not what comes out.

    A function that asks for threads makes it one that Snakemake does not compare: whoever lowers
    them to go on after a lack of memory does not repeat the runs that are done.
    """
    return lambda wildcards, threads: split_options(STUDY, work)[1]


def judge(key):
    """Return a param: a digest of the grader of another package, if the study names one."""
    plugin = STUDY.config[key]["plugin"]
    return grading_plugins.digest(plugin) if plugin else ""


def state_folder(path):
    """Return the output that other runs start from; deleted after its last use, or kept."""
    folder = directory(path)
    return folder if STUDY.config.get("states") == "keep" else temp(folder)


def environment(work):
    """Return the name of an engine's environment in envs/; an engine only planned has none."""
    return getattr(plugins.load(*engine(STUDY, work)), "ENVIRONMENT", "data")


def container_of(work):
    """Return the image that an engine's jobs run in, where the user has some (LIMR_CONTAINERS)."""
    try:
        return containers.image(environment(work), ROOT / "envs")
    except InputError as error:
        raise WorkflowError(str(error)) from None


def gpus(work, training):
    """Return the resources of a job on GPUs, as SLURM's executor wants them (docs/slurm.md).

    On one node `gpu` and `nodes` go together, or SLURM spreads the GPUs over nodes. On several, one
    task per node makes the rule run beside them, and it starts the nodes itself.
    """
    name = STUDY.config["engine"][work]
    planned = plugins.load("plans", name) if name in plugins.names("plans") else None
    if not hasattr(planned, "gpus"):
        return {}
    nodes, each = planned.gpus(STUDY, training)
    # Of a node: a share of the memory and cores that nodes of eight GPUs commonly have.
    node = {"nodes": nodes, "mem_mb": 120_000 * each, "cpus_per_task": 8 * each}
    if nodes == 1:
        return {"gpu": each, **node, **gpu_partition()}
    asked = {"gres": f"gpu:{each}", "tasks": nodes, "tasks_per_gpu": 0, "mpi": "srun"}
    extra = "--open-mode=append --ntasks-per-node=1"
    return {**asked, **node, "slurm_extra": extra, **gpu_partition()}


def gpu_partition():
    """Return the partition of jobs on GPUs, where the site has named one."""
    named = os.environ.get("LIMR_SLURM_GPU_PARTITION")
    return {"slurm_partition": named} if named else {}


def looks():
    """Return the looks at compute nodes that a study wants: where GPUs have work left."""
    scripts = {"train": ("train_ppo", "train_sft"), "generate": ("evaluate",)}
    left = {job.script for job in PLAN if not all(map(os.path.exists, job.outputs))}
    wanted = [job.wildcards["work"] for job in PLAN if job.rule == "preflight"]
    return [AT.preflight(work) for work in wanted if left.intersection(scripts[work])]


def share_resources():
    """Give what a profile or --set-resources says of a rule to its variants of other steps too."""
    told = workflow.resource_settings.overwrite_resources
    for job in PLAN:
        if job.script in ("train_ppo", "train_sft", "evaluate"):
            variant = workflow.get_rule(job.rule)
            for source in (job.script, job.rule):
                variant.resources.update(Resources.from_mapping(told.get(source, {})))


def shown(rule, kind, what):
    """Return the outputs of the job of all tables or figures; one kind is in Snakemake's report."""
    made = next((dict(job.output) for job in PLAN if job.rule == rule), {})
    about = {"caption": f"../report/{what}.rst", "category": f"{what.title()}s"}
    paths = [(path, {what: Path(path).stem}) for path in made.get(kind, [])]
    return made | {kind: [report(path, labels=name, **about) for path, name in paths]}
