# Takes: rollouts of a run of this study, or a log or published scores from a file.
# Makes: trajectories/{source}.parquet and .json (what was noticed), scores/{selector}.parquet


rule import_trajectories:
    input:
        paths=lambda wildcards: source_paths(TRAJECTORIES[wildcards.source]),
        problems=lambda wildcards: source_problems(TRAJECTORIES[wildcards.source]),
    output:
        table=f"{RESULTS}/trajectories/{{source}}.parquet",
        record=f"{RESULTS}/trajectories/{{source}}.json",
    log:
        f"{LOGS}/import_trajectories/{{source}}.log",
    benchmark:
        f"{BENCHMARKS}/import_trajectories/{{source}}.tsv"
    wildcard_constraints:
        source=any_of(name for name in TRAJECTORIES if name not in PUBLISHED),
    conda:
        "../../envs/data.yaml"
    params:
        settings=lambda wildcards: source_settings(TRAJECTORIES[wildcards.source]),
        code=lambda wildcards: code("import_trajectories", importer(wildcards.source)),
    message:
        "Read the learning curves {wildcards.source}"
    script:
        "../scripts/import_trajectories.py"


use rule import_trajectories as import_scores with:
    input:
        paths=lambda wildcards: source_paths(
            TRAJECTORIES[source_of(wildcards.selector)]
        ),
        problems=lambda wildcards: problems(STUDY.score_dataset(wildcards.selector)),
    output:
        table=f"{RESULTS}/scores/{{selector}}.parquet",
        record=f"{RESULTS}/scores/{{selector}}.json",
    log:
        f"{LOGS}/import_scores/{{selector}}.log",
    benchmark:
        f"{BENCHMARKS}/import_scores/{{selector}}.tsv"
    wildcard_constraints:
        selector=any_of(name for name in STUDY.scores if source_of(name) in PUBLISHED),
    params:
        settings=lambda wildcards: TRAJECTORIES[source_of(wildcards.selector)],
        code=lambda wildcards: code(
            "import_trajectories", importer(source_of(wildcards.selector))
        ),
    message:
        "Read the published scores {wildcards.selector}"


rule score_problems:
    input:
        problems=lambda wildcards: problems(STUDY.score_dataset(wildcards.selector)),
        trajectories=lambda wildcards: (
            f"{RESULTS}/trajectories/{source_of(wildcards.selector)}.parquet"
            if source_of(wildcards.selector)
            else []
        ),
    output:
        scores=f"{RESULTS}/scores/{{selector}}.parquet",
    log:
        f"{LOGS}/score_problems/{{selector}}.log",
    benchmark:
        f"{BENCHMARKS}/score_problems/{{selector}}.tsv"
    wildcard_constraints:
        selector=any_of(
            name for name in STUDY.scores if source_of(name) not in PUBLISHED
        ),
    conda:
        "../../envs/data.yaml"
    params:
        settings=lambda wildcards: STUDY.scores[wildcards.selector],
        code=lambda wildcards: code(
            "score_problems",
            ("selectors", STUDY.scores[wildcards.selector]["selector"]),
        ),
    message:
        "Score the problems: {wildcards.selector}"
    script:
        "../scripts/score_problems.py"
