# Takes: scores/{selector}.parquet, the learning curves behind it, the first subset cut from it.
# Makes: diagnostics/{selector}.parquet (one row a problem) and .epochs.parquet (a row a comparison)


rule diagnose_scores:
    input:
        problems=lambda wildcards: problems(STUDY.score_dataset(wildcards.selector)),
        trajectories=lambda wildcards: f"{RESULTS}/trajectories/{source_of(wildcards.selector)}.parquet",
        scores=f"{RESULTS}/scores/{{selector}}.parquet",
        subset=lambda wildcards: first_subset(wildcards.selector, "jsonl"),
        record=lambda wildcards: first_subset(wildcards.selector, "json"),
    output:
        problems=f"{RESULTS}/diagnostics/{{selector}}.parquet",
        epochs=f"{RESULTS}/diagnostics/{{selector}}.epochs.parquet",
    log:
        f"{LOGS}/diagnose_scores/{{selector}}.log",
    benchmark:
        f"{BENCHMARKS}/diagnose_scores/{{selector}}.tsv"
    wildcard_constraints:
        selector=any_of(DIAGNOSED),
    conda:
        "../../envs/data.yaml"
    params:
        settings=lambda wildcards: {
            **STUDY.scores[wildcards.selector],
            **STUDY.config["diagnostics"],
        },
        code=lambda wildcards: code(
            "diagnose_scores",
            ("selectors", STUDY.scores[wildcards.selector]["selector"]),
        ),
    message:
        "Diagnose the scores: {wildcards.selector}"
    script:
        "../scripts/diagnose_scores.py"
