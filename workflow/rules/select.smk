# Takes: scores/{selector}.parquet, problems/{dataset}.jsonl, the learning curves behind the scores.
# Makes: subsets/{arm}.jsonl (the problems with their scores) and .json (the record)


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


rule select_subset:
    input:
        problems=lambda wildcards: problems(STUDY.arm_dataset(wildcards.arm)),
        scores=lambda wildcards: f"{RESULTS}/scores/{STUDY.arms[wildcards.arm].score}.parquet",
        trajectories=lambda wildcards: curves_behind(wildcards.arm),
        size_like=lambda wildcards: size_like(wildcards.arm),
    output:
        subset=f"{RESULTS}/subsets/{{arm}}.jsonl",
        record=f"{RESULTS}/subsets/{{arm}}.json",
    log:
        f"{LOGS}/select_subset/{{arm}}.log",
    benchmark:
        f"{BENCHMARKS}/select_subset/{{arm}}.tsv"
    wildcard_constraints:
        arm=any_of(STUDY.selected),
    conda:
        "../../envs/data.yaml"
    params:
        settings=lambda wildcards: {
            "cut": STUDY.arms[wildcards.arm].cut,
            "seed": STUDY.scores[STUDY.arms[wildcards.arm].score]["seed"],
            "origin": origin(wildcards.arm),
        },
        code=lambda wildcards: code("select_subset", *selector_plugin(wildcards.arm)),
    message:
        "Select the problems of {wildcards.arm}"
    script:
        "../scripts/select_subset.py"
