# Takes: policy/step{step}/ of a run, problems/{benchmark}.jsonl
# Makes: evals/{arm}/seed{seed}/step{step}/{benchmark}.parquet and .json,
#   samples/{source}.parquet and .json, responses of the base to training problems, for selection,
#   collected/opinions.parquet, where a table asks for a second opinion on the verdicts,
#   overlaps/{benchmark}.parquet, where a table asks what questions share with training problems
# One job serves all the steps and benchmarks of a run: loading a model costs more than a step does.


for name, steps, arms in EVALUATIONS:

    rule:
        name:
            name
        input:
            policies=lambda wildcards: policies(wildcards.arm),
            problems=[problems(benchmark) for benchmark in STUDY.benchmarks],
        output:
            evaluations=evaluations(steps, "parquet"),
            summaries=evaluations(steps, "json"),
        log:
            f"{LOGS}/evaluate/{{arm}}-seed{{seed}}.log",
        benchmark:
            f"{BENCHMARKS}/evaluate/{{arm}}-seed{{seed}}.tsv"
        wildcard_constraints:
            arm=any_of(arms),
        conda:
            engine_environment("generate")
        container:
            engine_container("generate")
        resources:
            **gpus("generate", "generate"),
        params:
            settings=lambda wildcards: {
                "engine": STUDY.config["engine"]["generate"],
                "options": asking_options(wildcards.arm),
                "grader": STUDY.config["grader"],
                "steps": EVALUATED[wildcards.arm],
                "benchmarks": STUDY.benchmarks,
            },
            free=free_options("generate"),
            state=f"{RESULTS}/state/evaluate/{{arm}}-seed{{seed}}",
            judge=judge("grader"),
            code=lambda wildcards: code("evaluate", engine("generate")),
        message:
            "Evaluate {wildcards.arm}, seed {wildcards.seed}"
        script:
            "../scripts/evaluate.py"


rule sample_base:
    input:
        base=f"{RESULTS}/base",
        problems=lambda wildcards: source_problems(TRAJECTORIES[wildcards.source]),
    output:
        samples=f"{RESULTS}/samples/{{source}}.parquet",
        summary=f"{RESULTS}/samples/{{source}}.json",
    log:
        f"{LOGS}/sample_base/{{source}}.log",
    benchmark:
        f"{BENCHMARKS}/sample_base/{{source}}.tsv"
    wildcard_constraints:
        source=any_of(STUDY.sampled),
    conda:
        engine_environment("generate")
    container:
        engine_container("generate")
    resources:
        **gpus("generate", "generate"),
    params:
        settings=lambda wildcards: sampling_settings(TRAJECTORIES[wildcards.source]),
        free=free_options("generate"),
        state=f"{RESULTS}/state/sample_base/{{source}}",
        judge=judge("grader"),
        code=lambda wildcards: code(
            "sample_base", engine("generate"), importer(wildcards.source)
        ),
    message:
        "Ask the base policy: {wildcards.source}"
    script:
        "../scripts/sample_base.py"


rule cross_check:
    input:
        evaluations=ALL_EVALUATION_FILES,
        problems=[problems(benchmark) for benchmark in STUDY.benchmarks],
    output:
        opinions=f"{RESULTS}/collected/opinions.parquet",
    log:
        f"{LOGS}/cross_check/all.log",
    benchmark:
        f"{BENCHMARKS}/cross_check/all.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        settings={
            "grader": STUDY.config["second_opinion"],
            "benchmarks": list(STUDY.benchmarks),
            "evaluations": [key["benchmark"] for key in ALL_EVALUATIONS],
        },
        judge=judge("second_opinion"),
        code=code("cross_check"),
    message:
        "Judge all responses again by another rule"
    script:
        "../scripts/cross_check.py"


rule measure_overlap:
    input:
        questions=f"{RESULTS}/problems/{{dataset}}.jsonl",
        problems=[problems(name) for name in STUDY.trained_on()],
        subsets=[f"{RESULTS}/subsets/{arm}.jsonl" for arm in STUDY.selected],
    output:
        overlaps=f"{RESULTS}/overlaps/{{dataset}}.parquet",
    log:
        f"{LOGS}/measure_overlap/{{dataset}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_overlap/{{dataset}}.tsv"
    wildcard_constraints:
        dataset=any_of(STUDY.benchmarks),
    conda:
        "../../envs/data.yaml"
    params:
        # Thresholds are the tables' own: another one measures nothing again.
        settings={
            "datasets": STUDY.trained_on(),
            "arms": {arm: STUDY.arm_dataset(arm) for arm in STUDY.selected},
            **{
                key: STUDY.config["contamination"][key] for key in ("words", "longest")
            },
        },
        code=code("measure_overlap"),
    message:
        "Measure what {wildcards.dataset} shares with the training problems"
    script:
        "../scripts/measure_overlap.py"
