# Takes: evals/, metrics.parquet, trajectories/, scores/, subsets/, diagnostics/, audits/
# Makes: collected/*.parquet, tables/{table}.tsv + .md + .tex, figures/{figure}.pdf + .png + .tsv, report.html


rule collect_evaluations:
    input:
        evaluations=ALL_EVALUATION_FILES,
    output:
        evaluations=f"{RESULTS}/collected/evaluations.parquet",
    log:
        f"{LOGS}/collect_evaluations/all.log",
    benchmark:
        f"{BENCHMARKS}/collect_evaluations/all.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        settings={"evaluations": ALL_EVALUATIONS},
        code=code("collect_evaluations"),
    message:
        "Collect the evaluations"
    script:
        "../scripts/collect_evaluations.py"


rule collect_metrics:
    input:
        metrics=[
            f"{RESULTS}/runs/{{arm}}/seed{{seed}}/metrics.parquet".format(**run)
            for run in TRAINED_RUNS
        ],
    output:
        metrics=f"{RESULTS}/collected/metrics.parquet",
    log:
        f"{LOGS}/collect_metrics/all.log",
    benchmark:
        f"{BENCHMARKS}/collect_metrics/all.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        settings={"runs": TRAINED_RUNS},
        code=code("collect_metrics"),
    message:
        "Collect the training metrics"
    script:
        "../scripts/collect_metrics.py"


rule make_table:
    input:
        evaluations=lambda wildcards: material("tables", wildcards.table, "evaluations"),
        metrics=lambda wildcards: material("tables", wildcards.table, "metrics"),
        trajectories=lambda wildcards: material(
            "tables", wildcards.table, "trajectories"
        ),
        scores=lambda wildcards: material("tables", wildcards.table, "scores"),
        subsets=lambda wildcards: material("tables", wildcards.table, "subsets"),
        diagnostics=lambda wildcards: material("tables", wildcards.table, "diagnostics"),
        audits=lambda wildcards: material("tables", wildcards.table, "audits"),
        problems=lambda wildcards: material("tables", wildcards.table, "problems"),
        runs=lambda wildcards: material("tables", wildcards.table, "runs"),
        paper=lambda wildcards: material("tables", wildcards.table, "paper"),
        opinions=lambda wildcards: material("tables", wildcards.table, "opinions"),
        overlaps=lambda wildcards: material("tables", wildcards.table, "overlaps"),
    output:
        tsv=report(
            f"{RESULTS}/tables/{{table}}.tsv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        markdown=f"{RESULTS}/tables/{{table}}.md",
        latex=f"{RESULTS}/tables/{{table}}.tex",
    log:
        f"{LOGS}/make_table/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/make_table/{{table}}.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        settings=lambda wildcards: {
            "study": overview("tables", wildcards.table),
            "runs": (COSTED if material("tables", wildcards.table, "runs") else []),
            "options": STUDY.config["tables"][wildcards.table],
        },
        code=lambda wildcards: code("make_table", ("tables", wildcards.table)),
    message:
        "Make the table {wildcards.table}"
    script:
        "../scripts/make_table.py"


rule draw_figure:
    input:
        evaluations=lambda wildcards: material(
            "figures", wildcards.figure, "evaluations"
        ),
        metrics=lambda wildcards: material("figures", wildcards.figure, "metrics"),
        trajectories=lambda wildcards: material(
            "figures", wildcards.figure, "trajectories"
        ),
        scores=lambda wildcards: material("figures", wildcards.figure, "scores"),
        subsets=lambda wildcards: material("figures", wildcards.figure, "subsets"),
        diagnostics=lambda wildcards: material(
            "figures", wildcards.figure, "diagnostics"
        ),
        runs=lambda wildcards: material("figures", wildcards.figure, "runs"),
        findings=lambda wildcards: material("figures", wildcards.figure, "findings"),
    output:
        pdf=f"{RESULTS}/figures/{{figure}}.pdf",
        png=report(
            f"{RESULTS}/figures/{{figure}}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        tsv=f"{RESULTS}/figures/{{figure}}.tsv",
        caption=f"{RESULTS}/figures/{{figure}}.txt",
    log:
        f"{LOGS}/draw_figure/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/draw_figure/{{figure}}.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        settings=lambda wildcards: {
            "study": overview("figures", wildcards.figure),
            "runs": (COSTED if material("figures", wildcards.figure, "runs") else []),
            "options": STUDY.config["figures"][wildcards.figure],
        },
        code=lambda wildcards: code("draw_figure", ("figures", wildcards.figure)),
    message:
        "Draw the figure {wildcards.figure}"
    script:
        "../scripts/draw_figure.py"


rule make_report:
    input:
        evaluations=RESULT_FILES["evaluations"],
        metrics=RESULT_FILES["metrics"],
        trajectories=RESULT_FILES["trajectories"],
        scores=RESULT_FILES["scores"],
        subsets=RESULT_FILES["subsets"],
        diagnostics=shown("diagnostics"),
        opinions=shown("opinions"),
        overlaps=shown("overlaps"),
        tables=[f"{RESULTS}/tables/{name}.tsv" for name in STUDY.config["tables"]],
        figures=[f"{RESULTS}/figures/{name}.png" for name in STUDY.config["figures"]],
        captions=[f"{RESULTS}/figures/{name}.txt" for name in STUDY.config["figures"]],
        runs=RESULT_FILES["runs"],
        notes=[f"{RESULTS}/problems/{name}.json" for name in STUDY.config["datasets"]]
        + [
            f"{RESULTS}/trajectories/{name}.json"
            for name in TRAJECTORIES
            if name not in PUBLISHED
        ]
        + [
            f"{RESULTS}/scores/{name}.json"
            for name in STUDY.scores
            if source_of(name) in PUBLISHED
        ],
        problems=RESULT_FILES["problems"],
        rollouts=[path for name in CURVES for path in source_paths(TRAJECTORIES[name])],
        page=[
            ours(f"workflow/report/report.{suffix}")
            for suffix in ("html.j2", "css", "js")
        ],
    output:
        page=report(
            f"{RESULTS}/report.html",
            caption="../report/page.rst",
            category="Report",
            labels={"what": "the page"},
        ),
        headline=f"{RESULTS}/headline.txt",
    log:
        f"{LOGS}/make_report/report.log",
    benchmark:
        f"{BENCHMARKS}/make_report/report.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        settings={
            "study": {
                **STUDY.overview(),
                "scored_from": STUDY.scored_from(),
                "contamination": STUDY.config["contamination"],
            },
            "runs": COSTED,
            "curves": CURVES,
            "config": {
                key: value
                for key, value in STUDY.config.items()
                if key not in ("mirror", "archive")
            },
        },
        code=code("make_report", *report_plugins()),
    message:
        "Make the report"
    script:
        "../scripts/make_report.py"
