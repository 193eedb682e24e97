# Takes: scores/{selector}.parquet, the learning curves behind it, the first subset cut from it.
# Makes: diagnostics/{selector}.parquet (one row per problem) and .epochs.parquet (one per comparison)


rule diagnose_scores:
    input:
        unpack(inputs("diagnose_scores")),
    output:
        problems=AT.diagnostics("{selector}"),
        epochs=AT.diagnostics_by_epoch("{selector}"),
    log:
        AT.log("diagnose_scores", "{selector}"),
    benchmark:
        AT.benchmark("diagnose_scores", "{selector}")
    wildcard_constraints:
        selector=names("diagnose_scores", "selector"),
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("diagnose_scores"),
        code=code("diagnose_scores"),
    message:
        "Diagnose the scores: {wildcards.selector}"
    script:
        "../scripts/diagnose_scores.py"
