# Takes: pinned public files (or the mirror's), or a generator's settings.
# Makes: problems/{dataset}.jsonl and .json (what was noticed), solutions/{dataset}.jsonl,
#   audits/{dataset}.parquet and .json, where a table or `dead_problems: exclude` asks for them


rule fetch_source:
    output:
        file=f"{RESULTS}/sources/{{file}}",
    log:
        f"{LOGS}/fetch_source/{{file}}.log",
    benchmark:
        f"{BENCHMARKS}/fetch_source/{{file}}.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        settings=lambda wildcards: {"sha256": SOURCES[wildcards.file].sha256},
        # A function of `input` is no trigger: another folder is not another file.
        registry=lambda wildcards, input: str(ROOT / "config/sources.yaml"),
        code=code("fetch_source"),
    message:
        "Fetch {wildcards.file}"
    script:
        "../scripts/fetch_source.py"


rule prepare_problems:
    input:
        file=lambda wildcards: dataset_file(STUDY.datasets[wildcards.dataset]),
        levels=lambda wildcards: levels_file(STUDY.datasets[wildcards.dataset]),
        overrides=lambda wildcards: STUDY.datasets[wildcards.dataset].get(
            "overrides", []
        ),
    output:
        problems=f"{RESULTS}/problems/{{dataset}}.jsonl",
        record=f"{RESULTS}/problems/{{dataset}}.json",
    log:
        f"{LOGS}/prepare_problems/{{dataset}}.log",
    benchmark:
        f"{BENCHMARKS}/prepare_problems/{{dataset}}.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        settings=lambda wildcards: STUDY.datasets[wildcards.dataset],
        code=lambda wildcards: code(
            "prepare_problems",
            ("datasets", STUDY.datasets[wildcards.dataset]["source"]),
        ),
    message:
        "Prepare the problems {wildcards.dataset}"
    script:
        "../scripts/prepare_problems.py"


rule prepare_solutions:
    input:
        file=lambda wildcards: dataset_file(STUDY.datasets[wildcards.dataset]),
    output:
        solutions=f"{RESULTS}/solutions/{{dataset}}.jsonl",
    log:
        f"{LOGS}/prepare_solutions/{{dataset}}.log",
    benchmark:
        f"{BENCHMARKS}/prepare_solutions/{{dataset}}.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        settings=lambda wildcards: STUDY.datasets[wildcards.dataset],
        code=lambda wildcards: code(
            "prepare_solutions",
            ("datasets", STUDY.datasets[wildcards.dataset]["source"]),
        ),
    message:
        "Prepare the worked solutions of {wildcards.dataset}"
    script:
        "../scripts/prepare_solutions.py"


rule audit_answers:
    input:
        problems=f"{RESULTS}/problems/{{dataset}}.jsonl",
    output:
        table=f"{RESULTS}/audits/{{dataset}}.parquet",
        record=f"{RESULTS}/audits/{{dataset}}.json",
    log:
        f"{LOGS}/audit_answers/{{dataset}}.log",
    benchmark:
        f"{BENCHMARKS}/audit_answers/{{dataset}}.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        settings={"grader": STUDY.config["grader"]},
        judge=judge("grader"),
        code=code("audit_answers"),
    message:
        "Audit the gold answers of {wildcards.dataset}"
    script:
        "../scripts/audit_answers.py"
