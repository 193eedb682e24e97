# Takes: scores/{selector}.parquet, problems/{dataset}.jsonl, the learning curves behind the scores.
# Makes: subsets/{arm}.jsonl (the problems with their scores) and .json (the record)


rule select_subset:
    input:
        problems=lambda wildcards: problems(STUDY.arm_dataset(wildcards.arm)),
        scores=lambda wildcards: f"{RESULTS}/scores/{STUDY.arms[wildcards.arm].score}.parquet",
        trajectories=lambda wildcards: curves_behind(wildcards.arm),
        size_like=lambda wildcards: size_like(wildcards.arm),
        audit=lambda wildcards: audit_behind(wildcards.arm),
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
            **(
                {"dead_problems": STUDY.arms[wildcards.arm].dead_problems}
                if AUDITED
                else {}
            ),
        },
        code=lambda wildcards: code("select_subset", *selector_plugin(wildcards.arm)),
    message:
        "Select the problems of {wildcards.arm}"
    script:
        "../scripts/select_subset.py"
