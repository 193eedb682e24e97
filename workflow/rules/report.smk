# Takes: evals/, metrics.parquet, trajectories/, scores/, subsets/, diagnostics/, audits/
# Makes: collected/*.parquet, tables/{table}.tsv + .md + .tex, figures/{figure}.pdf + .png + .svg + .tsv, report.html


rule collect_evaluations:
    input:
        unpack(inputs("collect_evaluations")),
    output:
        evaluations=AT.collected("evaluations"),
    log:
        AT.log("collect_evaluations", "all"),
    benchmark:
        AT.benchmark("collect_evaluations", "all")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("collect_evaluations"),
        code=code("collect_evaluations"),
    message:
        "Collect the evaluations"
    script:
        "../scripts/collect_evaluations.py"


rule collect_metrics:
    input:
        unpack(inputs("collect_metrics")),
    output:
        metrics=AT.collected("metrics"),
    log:
        AT.log("collect_metrics", "all"),
    benchmark:
        AT.benchmark("collect_metrics", "all")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("collect_metrics"),
        code=code("collect_metrics"),
    message:
        "Collect the training metrics"
    script:
        "../scripts/collect_metrics.py"


rule make_tables:
    input:
        unpack(inputs("make_tables")),
    output:
        **shown("make_tables", "tsv", "table"),
    log:
        AT.log("make_tables", "all"),
    benchmark:
        AT.benchmark("make_tables", "all")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("make_tables"),
        code=code("make_tables"),
    message:
        "Make the tables"
    script:
        "../scripts/make_tables.py"


rule draw_figures:
    input:
        unpack(inputs("draw_figures")),
    output:
        **shown("draw_figures", "png", "figure"),
    log:
        AT.log("draw_figures", "all"),
    benchmark:
        AT.benchmark("draw_figures", "all")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("draw_figures"),
        code=code("draw_figures"),
    message:
        "Draw the figures"
    script:
        "../scripts/draw_figures.py"


rule make_report:
    input:
        unpack(inputs("make_report")),
    output:
        page=report(
            AT.report,
            caption="../report/page.rst",
            category="Report",
            labels={"what": "the page"},
        ),
        headline=AT.headline,
    log:
        AT.log("make_report", "report"),
    benchmark:
        AT.benchmark("make_report", "report")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("make_report"),
        code=code("make_report"),
    message:
        "Make the report"
    script:
        "../scripts/make_report.py"
