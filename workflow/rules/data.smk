# Takes: pinned public files (or the mirror's), or a generator's settings.
# Makes: problems/{dataset}.jsonl and .json (what was noticed), solutions/{dataset}.jsonl,
#   audits/{dataset}.parquet and .json, where a table or `dead_problems: exclude` asks for them


rule fetch_source:
    output:
        file=AT.source("{file}"),
    log:
        AT.log("fetch_source", "{file}"),
    benchmark:
        AT.benchmark("fetch_source", "{file}")
    wildcard_constraints:
        file=names("fetch_source", "file"),
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("fetch_source"),
        # A function of `input` is no trigger: another folder is not another file.
        registry=lambda wildcards, input: str(ROOT / "config/sources.yaml"),
        code=code("fetch_source"),
    message:
        "Fetch {wildcards.file}"
    script:
        "../scripts/fetch_source.py"


rule prepare_problems:
    input:
        unpack(inputs("prepare_problems")),
    output:
        problems=AT.problems("{dataset}"),
        record=AT.problems_record("{dataset}"),
    log:
        AT.log("prepare_problems", "{dataset}"),
    benchmark:
        AT.benchmark("prepare_problems", "{dataset}")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("prepare_problems"),
        code=code("prepare_problems"),
    message:
        "Prepare the problems {wildcards.dataset}"
    script:
        "../scripts/prepare_problems.py"


rule prepare_solutions:
    input:
        unpack(inputs("prepare_solutions")),
    output:
        solutions=AT.solutions("{dataset}"),
    log:
        AT.log("prepare_solutions", "{dataset}"),
    benchmark:
        AT.benchmark("prepare_solutions", "{dataset}")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("prepare_solutions"),
        code=code("prepare_solutions"),
    message:
        "Prepare the worked solutions of {wildcards.dataset}"
    script:
        "../scripts/prepare_solutions.py"


rule audit_answers:
    input:
        unpack(inputs("audit_answers")),
    output:
        table=AT.audit("{dataset}"),
        record=AT.audit_record("{dataset}"),
    log:
        AT.log("audit_answers", "{dataset}"),
    benchmark:
        AT.benchmark("audit_answers", "{dataset}")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("audit_answers"),
        judge=judge("grader"),
        code=code("audit_answers"),
    message:
        "Audit the gold answers of {wildcards.dataset}"
    script:
        "../scripts/audit_answers.py"
