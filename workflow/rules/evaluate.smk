# Takes: policy/step{step}/ of a run, problems/{benchmark}.jsonl
# Makes: evals/{arm}/seed{seed}/step{step}/{benchmark}.parquet and .json,
#   collected/opinions.parquet, where a table asks for a second opinion on the verdicts,
#   overlaps/{benchmark}.parquet, where a table asks what questions share with training problems
# One job serves all the steps and benchmarks of a run: loading a model costs more than a step does.


rule evaluate:
    input:
        policies=lambda wildcards: policies(wildcards.arm),
        problems=[problems(benchmark) for benchmark in STUDY.benchmarks],
    output:
        evaluations=evaluations(STUDY.steps["ppo"], "parquet"),
        summaries=evaluations(STUDY.steps["ppo"], "json"),
    log:
        f"{LOGS}/evaluate/{{arm}}-seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluate/{{arm}}-seed{{seed}}.tsv"
    wildcard_constraints:
        arm=any_of(STUDY.arms_by("ppo")),
    conda:
        engine_environment("generate")
    resources:
        **gpus("generate", "generate"),
    params:
        settings=lambda wildcards: {
            "engine": STUDY.config["engine"]["generate"],
            "options": engine_options("generate"),
            "grader": STUDY.config["grader"],
            "steps": EVALUATED[wildcards.arm],
            "benchmarks": STUDY.benchmarks,
        },
        free=free_options("generate"),
        state=f"{RESULTS}/state/evaluate/{{arm}}-seed{{seed}}",
        code=code("evaluate", engine("generate")),
    message:
        "Evaluate {wildcards.arm}, seed {wildcards.seed}"
    script:
        "../scripts/evaluate.py"


use rule evaluate as evaluate_sft with:
    output:
        evaluations=evaluations(STUDY.steps["sft"], "parquet"),
        summaries=evaluations(STUDY.steps["sft"], "json"),
    wildcard_constraints:
        arm=any_of(STUDY.arms_by("sft")),


use rule evaluate as evaluate_base with:
    output:
        evaluations=evaluations(STUDY.steps["none"], "parquet"),
        summaries=evaluations(STUDY.steps["none"], "json"),
    wildcard_constraints:
        arm=any_of(STUDY.base),


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
