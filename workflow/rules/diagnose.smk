# Takes: scores/{selector}.parquet, the learning curves behind it, the first subset cut from it.
# Makes: diagnostics/{selector}.parquet (one row per problem) and .epochs.parquet (one per comparison),
#   collected/backtest.parquet (one per choice, t and measure) from all learning curves


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


rule backtest_selectors:
    input:
        unpack(inputs("backtest_selectors")),
    output:
        backtest=AT.collected("backtest"),
    log:
        AT.log("backtest_selectors", "all"),
    benchmark:
        AT.benchmark("backtest_selectors", "all")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("backtest_selectors"),
        code=code("backtest_selectors"),
    message:
        "Backtest the selectors"
    script:
        "../scripts/backtest_selectors.py"
