# Takes: a compute node of the sort that training or generation wants.
# Makes: preflight/{work}.json: its GPUs, driver and packages; fails with advice where they lack.
#
# No job reads it: a new report would make Snakemake repeat finished runs. It goes first.


rule preflight:
    output:
        report=AT.preflight("{work}"),
    log:
        AT.log("preflight", "{work}"),
    benchmark:
        AT.benchmark("preflight", "{work}")
    wildcard_constraints:
        work="train|generate",
    priority: 100
    conda:
        lambda wildcards: f"../../envs/{environment(wildcards.work)}.yaml"
    resources:
        # One GPU, so that it does not wait for long.
        **{"gpu": 1, "nodes": 1, "mem_mb": 16_000, "runtime": 15, **gpu_partition()},
    params:
        settings=settings("preflight"),
        code=code("preflight"),
    message:
        "Look at a node for {wildcards.work}"
    script:
        "../scripts/preflight.py"
