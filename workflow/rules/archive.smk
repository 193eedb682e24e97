# Takes: everything that the study made.
# Makes: archive/{study}.zip: only where it is asked for (`snakemake archive`), never by `all`


rule archive_study:
    input:
        study=rules.all.input.study,
    output:
        archive=AT.archive,
    log:
        AT.log("archive_study", STUDY.name),
    benchmark:
        AT.benchmark("archive_study", STUDY.name)
    conda:
        "../../envs/data.yaml"
    params:
        settings={
            "config": {
                key: value for key, value in STUDY.config.items() if key != "mirror"
            }
        },
        # A function of `input` is no trigger: another folder is not another archive.
        root=lambda wildcards, input: str(ROOT),
        # A new commit is a new archive, whatever it changed.
        commit=lambda wildcards: commit_of_code(ROOT),
        code=code_digest("archive_study"),
    message:
        "Archive the study"
    script:
        "../scripts/archive_study.py"
