"""What may be passed on: by the licence of a file and by what holds its texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from limr.archive import SOURCES_LOCK, build, sharing
from limr.core import plugins
from limr.core.errors import InputError
from limr.sources import lock as locks
from limr.sources.pinned import Source, load_sources
from limr.study import files
from limr.study.load import load as load_study
from limr.study.study import Study


def published(root: Path, **archive: Any) -> Study:
    config = yaml.safe_load((root / "config/published.yaml").read_text())
    config["archive"] = archive
    return load_study(config, "published", root / "config/benchmarks")


@pytest.fixture
def pinned(root: Path) -> dict[str, Source]:
    return load_sources(root / "config/sources.yaml")


def reason(study: Study, pinned: dict[str, Source], inside: str) -> str | None:
    kind = files.kind(study, inside)
    assert kind is not None, inside
    return sharing.why_not(study, sharing.rules(study, pinned), inside, kind)


OUT = (
    "sources/limr_math_full",
    "sources/limr_published_lim_scores",
    "problems/math-full.jsonl",
    "audits/math-full.parquet",
    "scores/lim.parquet",
    "subsets/limr.jsonl",
    "subsets/rand.jsonl",
    "figures/scores.tsv",
    "report.html",
)
IN = (
    "problems/math-full.json",
    "scores/random.parquet",
    "scores/lim.json",
    "subsets/limr.json",
    "figures/scores.png",
    "tables/subsets.tsv",
    "headline.txt",
    "logs/select_subset/limr.log",
)


@pytest.mark.parametrize("inside", OUT)
def test_restricted_texts_stay_out(inside: str, root: Path, pinned: dict[str, Source]) -> None:
    assert "licence" in str(reason(published(root), pinned, inside))


@pytest.mark.parametrize("inside", IN)
def test_numbers_and_records_go_in(inside: str, root: Path, pinned: dict[str, Source]) -> None:
    assert reason(published(root), pinned, inside) is None


@pytest.mark.parametrize("inside", OUT)
def test_all_of_it_goes_in_under_an_open_licence(
    inside: str, root: Path, pinned: dict[str, Source]
) -> None:
    opened = {name: source.model_copy(update={"licence": "MIT"}) for name, source in pinned.items()}
    assert reason(published(root), opened, inside) is None


def test_a_licence_that_merely_mentions_an_open_one_is_none(pinned: dict[str, Source]) -> None:
    assert "MIT" in pinned["limr_math_full"].licence
    assert pinned["limr_math_full"].licence not in sharing.OPEN_LICENCES


def own(root: Path, tmp_path: Path, **archive: Any) -> Study:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"id": "a", "prompt": "1+1?", "answer": "2"}\n')
    config = {
        "study": "mine",
        "seeds": [1],
        "datasets": {"mine": {"source": "problems-file", "path": str(file)}},
        "dataset": "mine",
        "scores": {"everything": {"selector": "full"}},
        "arms": {"full": {"train": "none", "score": "everything"}},
        "archive": archive,
    }
    return load_study(config, "mine", root / "config/benchmarks")


def test_a_file_of_ones_own_is_restricted_until_it_is_named(
    root: Path, tmp_path: Path, pinned: dict[str, Source]
) -> None:
    assert "own_files" in str(reason(own(root, tmp_path), pinned, "problems/mine.jsonl"))
    named = own(root, tmp_path, own_files=["mine"])
    assert reason(named, pinned, "problems/mine.jsonl") is None
    with pytest.raises(InputError, match=r"archive.own_files: 'mien'"):
        own(root, tmp_path, own_files=["mien"])


def test_scores_of_ones_own_are_restricted_until_they_are_named(
    root: Path, tmp_path: Path, pinned: dict[str, Source]
) -> None:
    """What repeats the file stays out; what a selector computed from it goes in."""
    (tmp_path / "scores.json").write_text('{"a": 1}')
    (tmp_path / "rates.json").write_text('{"a": 1}')
    config = own(root, tmp_path).config
    config["trajectories"] = {
        "log": {"format": "accuracy-json", "path": str(tmp_path / "rates.json")}
    }
    config["scores"] = {
        "theirs": {"selector": "external", "file": str(tmp_path / "scores.json")},
        "between": {
            "selector": "two-anchor",
            "trajectories": "log",
            "weaker": str(tmp_path / "scores.json"),
            "stronger": str(tmp_path / "rates.json"),
        },
    }
    config["arms"] = {"x": {"train": "none", "score": "theirs"}}
    for named in ([], ["theirs"]):
        config["archive"] = {"own_files": named}
        study = load_study(config, "mine", root / "config/benchmarks")
        assert ("own_files" in str(reason(study, pinned, "scores/theirs.parquet"))) != bool(named)
        assert reason(study, pinned, "scores/between.parquet") is None


def test_tables_that_show_texts_stay_out_and_counts_go_in(
    root: Path, pinned: dict[str, Source]
) -> None:
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    study = load_study(config, "config", root / "config/benchmarks")
    found = reason(study, pinned, "tables/contamination-examples.tsv")
    assert "it shows texts of problems: the licence of" in str(found)
    assert reason(study, pinned, "tables/contamination.tsv") is None
    assert reason(study, pinned, "overlaps/math500.parquet") is None
    assert "overlaps/math500.parquet" in files.required(study)


def test_what_a_new_kind_of_result_holds_is_not_passed_on(
    root: Path, tmp_path: Path, pinned: dict[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has said what is in it: where anything is restricted, it and its figures' data are."""
    rules = sharing.rules(own(root, tmp_path), pinned)
    named = sharing.rules(own(root, tmp_path, own_files=["mine"]), pinned)
    for found, why in ((rules, "it may hold what is restricted: 'mine'"), (named, "None")):
        kept_out = sharing.why_not(own(root, tmp_path), found, "peaks/log.parquet", "other")
        assert str(kept_out).startswith(why)
    figure = plugins.load("figures", "accuracy")
    study = replace(own(root, tmp_path), config={"report": {"texts": False}})
    closed = replace(rules, sources={"log": "'log' is a file of the author's own"})
    for kinds, is_out in ((("evaluations",), False), (("peaks",), True), (("scores",), True)):
        monkeypatch.setattr(figure, "REQUIRES", kinds)
        monkeypatch.setattr(figure, "OPTIONAL", (), raising=False)
        found = sharing.why_not(study, closed, "figures/accuracy.tsv", "figure")
        assert (found is not None) is is_out, kinds


def test_switches(root: Path, pinned: dict[str, Source]) -> None:
    config = yaml.safe_load((root / "config/demo.yaml").read_text())
    policy = "runs/full/seed1/policy/step12/model.safetensors"
    for responses, policies in ((True, False), (False, True)):
        config["archive"] = {"responses": responses, "policies": policies}
        study = load_study(config, "demo", root / "config/benchmarks")
        assert (reason(study, pinned, policy) is None) is policies
        assert (reason(study, pinned, "report.html") is None) is responses
        assert reason(study, pinned, "base/model.safetensors") is None


def test_a_report_without_texts_still_holds_scores_and_curves(
    root: Path, pinned: dict[str, Source]
) -> None:
    study = published(root)
    study.config["report"]["texts"] = False
    found = sharing.rules(study, pinned)
    assert found.scores
    assert "scores or" in str(sharing.why_not(study, found, "report.html", "report"))
    curves = replace(found, scores={}, sources={"log": "closed"})
    assert "closed" in str(sharing.why_not(study, curves, "report.html", "report"))
    neither = replace(found, scores={}, sources={}, responses=False)
    assert neither.datasets
    assert sharing.why_not(study, neither, "report.html", "report") is None


def test_a_pretrained_base_stays_out_but_its_description_goes_in(
    root: Path, pinned: dict[str, Source]
) -> None:
    config = yaml.safe_load((root / "config/smollm.yaml").read_text())
    study = load_study(config, "smollm", root / "config/benchmarks")
    assert "pretrained" in str(reason(study, pinned, "base/model.safetensors"))
    assert reason(study, pinned, "base/limr.json") is None


@pytest.mark.parametrize(
    "inside",
    [
        "scores/old.parquet",
        "runs/full/seed9/run.json",
        "tables/none.tsv",
        "notes.txt",
        "x/report.html",
    ],
)
def test_what_the_study_does_not_name_is_no_part_of_it(inside: str, root: Path) -> None:
    assert files.kind(published(root), inside) is None


def test_the_lock_of_pinned_files_goes_in_and_gives_their_digests(
    root: Path, tmp_path: Path
) -> None:
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    study = load_study(config, "config", root / "config/benchmarks")
    listed = load_sources(root / "config/sources.yaml")
    entry = {"url": listed["s1k"].url, "pin": listed["s1k"].pin, "sha256": "5" * 64, "bytes": 7}
    locks.add(tmp_path / SOURCES_LOCK, "s1k", entry)
    sources = load_sources(root / "config/sources.yaml", tmp_path / SOURCES_LOCK)
    found = build.plan(study, sources, tmp_path, root)
    assert found.files[SOURCES_LOCK] == ("lock of pinned files", tmp_path / SOURCES_LOCK)
    told = {one["name"]: one for one in sharing.origins(study, sources, found.rules)}
    assert (told["s1k"]["sha256"], told["s1k"]["bytes"]) == ("5" * 64, 7)
    assert told["limo"]["sha256"] is None
