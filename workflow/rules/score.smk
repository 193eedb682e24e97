# Takes: rollouts of a run of this study, or a log or published scores from a file.
# Makes: trajectories/{source}.parquet and .json (what was noticed), scores/{selector}.parquet


rule import_trajectories:
    input:
        unpack(inputs("import_trajectories")),
    output:
        table=AT.curves("{source}"),
        record=AT.curves_record("{source}"),
    log:
        AT.log("import_trajectories", "{source}"),
    benchmark:
        AT.benchmark("import_trajectories", "{source}")
    wildcard_constraints:
        source=names("import_trajectories", "source"),
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("import_trajectories"),
        code=code("import_trajectories"),
    message:
        "Read the learning curves {wildcards.source}"
    script:
        "../scripts/import_trajectories.py"


use rule import_trajectories as import_scores with:
    input:
        unpack(inputs("import_scores")),
    output:
        table=AT.scores("{selector}"),
        record=AT.scores_record("{selector}"),
    log:
        AT.log("import_scores", "{selector}"),
    benchmark:
        AT.benchmark("import_scores", "{selector}")
    wildcard_constraints:
        selector=names("import_scores", "selector"),
    params:
        settings=settings("import_scores"),
        code=code("import_scores"),
    message:
        "Read the published scores {wildcards.selector}"


rule score_problems:
    input:
        unpack(inputs("score_problems")),
    output:
        scores=AT.scores("{selector}"),
    log:
        AT.log("score_problems", "{selector}"),
    benchmark:
        AT.benchmark("score_problems", "{selector}")
    wildcard_constraints:
        selector=names("score_problems", "selector"),
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("score_problems"),
        code=code("score_problems"),
    message:
        "Score the problems: {wildcards.selector}"
    script:
        "../scripts/score_problems.py"
