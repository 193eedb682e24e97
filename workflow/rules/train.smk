# Takes: subsets/{arm}.jsonl and the base policy.
# Makes: base/, and for each run: rollouts.parquet (PPO), metrics.parquet, policy/step{step}/, run.json
# Half-finished runs live in state/, outside every output: a failed job's outputs are deleted.


# A model of the hub is downloaded, and compute nodes have no internet.
if STUDY.config["base"].get("revision"):

    localrules:
        make_base,


rule make_base:
    input:
        problems=[problems(name) for name in STUDY.datasets],
    output:
        policy=directory(f"{RESULTS}/base"),
    log:
        f"{LOGS}/make_base/base.log",
    benchmark:
        f"{BENCHMARKS}/make_base/base.tsv"
    conda:
        engine_environment("train")
    params:
        settings={
            "engine": STUDY.config["engine"]["train"],
            "base": STUDY.config["base"],
            "options": engine_options("train"),
        },
        free=free_options("train"),
        state=f"{RESULTS}/state/base",
        code=code("make_base", engine("train")),
    message:
        "Make the base policy"
    script:
        "../scripts/make_base.py"


# Arms with evaluated steps of their own have a rule of their own: an output's steps are fixed.
for suffix, (steps, arms) in STUDY.variants("ppo").items():

    rule:
        name:
            f"train_ppo{suffix}"
        input:
            base=rules.make_base.output.policy,
            problems=f"{RESULTS}/subsets/{{arm}}.jsonl",
        output:
            rollouts=f"{RUN}/rollouts.parquet",
            metrics=f"{RUN}/metrics.parquet",
            record=f"{RUN}/run.json",
            policies=[directory(f"{RUN}/policy/step{step}") for step in steps],
        log:
            f"{LOGS}/train_ppo/{{arm}}-seed{{seed}}.log",
        benchmark:
            f"{BENCHMARKS}/train_ppo/{{arm}}-seed{{seed}}.tsv"
        wildcard_constraints:
            arm=any_of(arms),
        conda:
            engine_environment("train")
        resources:
            **gpus("train", "ppo"),
            **time_limit(suffix, 1440),
        params:
            settings=lambda wildcards: {
                **training_settings(wildcards.arm),
                "reward": STUDY.arms[wildcards.arm].reward,
            },
            free=free_options("train"),
            state=f"{RESULTS}/state/{{arm}}-seed{{seed}}",
            code=lambda wildcards: code(
                "train_ppo", engine("train"), reward_plugin(wildcards.arm)
            ),
        message:
            "Train {wildcards.arm} by PPO, seed {wildcards.seed}"
        script:
            "../scripts/train_ppo.py"


for suffix, (steps, arms) in STUDY.variants("sft").items():

    rule:
        name:
            f"train_sft{suffix}"
        input:
            base=rules.make_base.output.policy,
            problems=f"{RESULTS}/subsets/{{arm}}.jsonl",
            solutions=lambda wildcards: (
                f"{RESULTS}/solutions/{STUDY.arm_dataset(wildcards.arm)}.jsonl"
            ),
        output:
            metrics=f"{RUN}/metrics.parquet",
            record=f"{RUN}/run.json",
            policies=[directory(f"{RUN}/policy/step{step}") for step in steps],
        log:
            f"{LOGS}/train_sft/{{arm}}-seed{{seed}}.log",
        benchmark:
            f"{BENCHMARKS}/train_sft/{{arm}}-seed{{seed}}.tsv"
        wildcard_constraints:
            arm=any_of(arms),
        conda:
            engine_environment("train")
        resources:
            **gpus("train", "sft"),
            **time_limit(suffix, 720),
        params:
            settings=lambda wildcards: training_settings(wildcards.arm),
            free=free_options("train"),
            state=f"{RESULTS}/state/{{arm}}-seed{{seed}}",
            code=code("train_sft", engine("train")),
        message:
            "Fine-tune {wildcards.arm}, seed {wildcards.seed}"
        script:
            "../scripts/train_sft.py"
