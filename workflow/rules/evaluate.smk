# Takes: policy/step{step}/ of a run, problems/{benchmark}.jsonl
# Makes: evals/{arm}/seed{seed}/step{step}/{benchmark}.parquet and .json,
#   samples/{source}.parquet and .json, responses of the base to training problems, for selection,
#   collected/opinions.parquet, where a table asks for a second opinion on the verdicts,
#   overlaps/{benchmark}.parquet, where a table asks what questions share with training problems
# One job serves all the steps and benchmarks of a run: loading a model costs more than a step does.


for name, variant in [rule for each in EVALUATED for rule in STUDY.rules(*each)]:

    rule:
        name:
            name
        input:
            unpack(inputs(name)),
        output:
            evaluations=[
                AT.evaluation("{arm}", "{seed}", *place)
                for place in STUDY.places(variant.steps)
            ],
            summaries=[
                AT.evaluation_record("{arm}", "{seed}", *place)
                for place in STUDY.places(variant.steps)
            ],
        log:
            AT.log("evaluate", "{arm}-seed{seed}"),
        benchmark:
            AT.benchmark("evaluate", "{arm}-seed{seed}")
        wildcard_constraints:
            arm=any_of(variant.arms),
        conda:
            f"../../envs/{environment('generate')}.yaml"
        container:
            container_of("generate")
        resources:
            **gpus("generate", "generate"),
        params:
            settings=settings(name),
            uncompared=uncompared("generate"),
            state=AT.state("evaluate/{arm}-seed{seed}"),
            judge=judge("grader"),
            code=code(name),
        message:
            "Evaluate {wildcards.arm}, seed {wildcards.seed}"
        script:
            "../scripts/evaluate.py"


rule sample_base:
    input:
        unpack(inputs("sample_base")),
    output:
        samples=AT.samples("{source}"),
        summary=AT.samples_record("{source}"),
    log:
        AT.log("sample_base", "{source}"),
    benchmark:
        AT.benchmark("sample_base", "{source}")
    wildcard_constraints:
        source=names("sample_base", "source"),
    conda:
        f"../../envs/{environment('generate')}.yaml"
    container:
        container_of("generate")
    resources:
        **gpus("generate", "generate"),
    params:
        settings=settings("sample_base"),
        uncompared=uncompared("generate"),
        state=AT.state("sample_base/{source}"),
        judge=judge("grader"),
        code=code("sample_base"),
    message:
        "Ask the base policy: {wildcards.source}"
    script:
        "../scripts/sample_base.py"


rule cross_check:
    input:
        unpack(inputs("cross_check")),
    output:
        opinions=AT.collected("opinions"),
    log:
        AT.log("cross_check", "all"),
    benchmark:
        AT.benchmark("cross_check", "all")
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("cross_check"),
        judge=judge("second_opinion"),
        code=code("cross_check"),
    message:
        "Judge all responses again by another rule"
    script:
        "../scripts/cross_check.py"


rule measure_overlap:
    input:
        unpack(inputs("measure_overlap")),
    output:
        overlaps=AT.overlaps("{dataset}"),
    log:
        AT.log("measure_overlap", "{dataset}"),
    benchmark:
        AT.benchmark("measure_overlap", "{dataset}")
    wildcard_constraints:
        dataset=names("measure_overlap", "dataset"),
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("measure_overlap"),
        code=code("measure_overlap"),
    message:
        "Measure what {wildcards.dataset} shares with the training problems"
    script:
        "../scripts/measure_overlap.py"
