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


rule make_table:
    input:
        unpack(inputs("make_table")),
    output:
        tsv=report(
            AT.table("{table}", "tsv"),
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        markdown=AT.table("{table}", "md"),
        latex=AT.table("{table}", "tex"),
    log:
        AT.log("make_table", "{table}"),
    benchmark:
        AT.benchmark("make_table", "{table}")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("make_table"),
        code=code("make_table"),
    message:
        "Make the table {wildcards.table}"
    script:
        "../scripts/make_table.py"


rule draw_figure:
    input:
        unpack(inputs("draw_figure")),
    output:
        pdf=AT.figure("{figure}", "pdf"),
        png=report(
            AT.figure("{figure}", "png"),
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        svg=AT.figure("{figure}", "svg"),
        tsv=AT.figure("{figure}", "tsv"),
        caption=AT.figure("{figure}", "txt"),
    log:
        AT.log("draw_figure", "{figure}"),
    benchmark:
        AT.benchmark("draw_figure", "{figure}")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("draw_figure"),
        code=code("draw_figure"),
    message:
        "Draw the figure {wildcards.figure}"
    script:
        "../scripts/draw_figure.py"


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
