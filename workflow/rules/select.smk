# Takes: scores/{selector}.parquet, problems/{dataset}.jsonl, the learning curves behind the scores.
# Makes: subsets/{arm}.jsonl (the problems with their scores) and .json (the record)


rule select_subset:
    input:
        unpack(inputs("select_subset")),
    output:
        subset=AT.subset("{arm}"),
        record=AT.subset_record("{arm}"),
    log:
        AT.log("select_subset", "{arm}"),
    benchmark:
        AT.benchmark("select_subset", "{arm}")
    wildcard_constraints:
        arm=names("select_subset", "arm"),
    conda:
        "../../envs/data.yaml"
    params:
        settings=settings("select_subset"),
        code=code("select_subset"),
    message:
        "Select the problems of {wildcards.arm}"
    script:
        "../scripts/select_subset.py"
