# Takes: subsets/{arm}.jsonl and the base policy, or the state of another run.
# Makes: base/, and for each run: rollouts.parquet (PPO), metrics.parquet, policy/step{step}/, run.json,
#   state/step{step}/ where other arms start from it
# Half-finished runs live in state/, outside every output: a failed job's outputs are deleted.


# A model of the hub is downloaded, and compute nodes have no internet.
if STUDY.config["base"].get("revision"):

    localrules:
        make_base,


rule make_base:
    input:
        unpack(inputs("make_base")),
    output:
        policy=directory(AT.base),
    log:
        AT.log("make_base", "base"),
    benchmark:
        AT.benchmark("make_base", "base")
    conda:
        f"../../envs/{environment('train')}.yaml"
    container:
        container_of("train")
    params:
        settings=settings("make_base"),
        uncompared=uncompared("train"),
        state=AT.state("base"),
        code=code("make_base"),
    message:
        "Make the base policy"
    script:
        "../scripts/make_base.py"


# Arms with evaluated steps or kept states of their own have a rule of their own: an output's steps
# are fixed.
for name, variant in STUDY.rules("train", "ppo"):

    rule:
        name:
            name
        input:
            unpack(inputs(name)),
        output:
            rollouts=AT.rollouts("{arm}", "{seed}"),
            metrics=AT.metrics("{arm}", "{seed}"),
            record=AT.run_record("{arm}", "{seed}"),
            policies=[
                directory(AT.policy("{arm}", "{seed}", step)) for step in variant.steps
            ],
            states=[
                state_folder(AT.kept_state("{arm}", "{seed}", step))
                for step in variant.states
            ],
        log:
            AT.log("train_ppo", "{arm}-seed{seed}"),
        benchmark:
            AT.benchmark("train_ppo", "{arm}-seed{seed}")
        wildcard_constraints:
            arm=any_of(variant.arms),
        conda:
            f"../../envs/{environment('train')}.yaml"
        container:
            container_of("train")
        resources:
            **gpus("train", "ppo"),
        params:
            settings=settings(name),
            uncompared=uncompared("train"),
            state=AT.state("{arm}-seed{seed}"),
            judge=judge("grader"),
            code=code(name),
        message:
            "Train {wildcards.arm} by PPO, seed {wildcards.seed}"
        script:
            "../scripts/train_ppo.py"


for name, variant in STUDY.rules("train", "sft"):

    rule:
        name:
            name
        input:
            unpack(inputs(name)),
        output:
            metrics=AT.metrics("{arm}", "{seed}"),
            record=AT.run_record("{arm}", "{seed}"),
            policies=[
                directory(AT.policy("{arm}", "{seed}", step)) for step in variant.steps
            ],
        log:
            AT.log("train_sft", "{arm}-seed{seed}"),
        benchmark:
            AT.benchmark("train_sft", "{arm}-seed{seed}")
        wildcard_constraints:
            arm=any_of(variant.arms),
        conda:
            f"../../envs/{environment('train')}.yaml"
        container:
            container_of("train")
        resources:
            **gpus("train", "sft"),
        params:
            settings=settings(name),
            uncompared=uncompared("train"),
            state=AT.state("{arm}-seed{seed}"),
            code=code(name),
        message:
            "Fine-tune {wildcards.arm}, seed {wildcards.seed}"
        script:
            "../scripts/train_sft.py"
