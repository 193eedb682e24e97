# Takes: a compute node of the sort that training or generation wants.
# Makes: preflight/{work}.json: its GPUs, driver and packages; fails with advice where they lack.
#
# No job reads it: a report that is made again would have finished runs made again. It goes first.


rule preflight:
    output:
        report=f"{RESULTS}/preflight/{{work}}.json",
    log:
        f"{LOGS}/preflight/{{work}}.log",
    benchmark:
        f"{BENCHMARKS}/preflight/{{work}}.tsv"
    wildcard_constraints:
        work="train|generate",
    priority: 100
    conda:
        lambda wildcards: engine_environment(wildcards.work)
    resources:
        **one_gpu(),
    params:
        modules=lambda wildcards: plan(wildcards.work).MODULES,
        gpus=1,
        environment=lambda wildcards: Path(engine_environment(wildcards.work)).stem,
        code=code("preflight"),
    message:
        "Look at a node for {wildcards.work}"
    script:
        "../scripts/preflight.py"
