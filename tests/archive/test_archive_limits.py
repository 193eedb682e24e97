"""What a stranger's study may ask for, and which files it may name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from limr.archive import documents, limits
from limr.core import provenance
from limr.core.errors import InputError


@pytest.mark.parametrize("name", ["demo", "config", "published", "one-shot-rlvr", "offline-rates"])
def test_our_own_studies_are_within(name: str, root: Path) -> None:
    config = yaml.safe_load((root / f"config/{name}.yaml").read_text())
    assert list(limits.exceeded(config)) == []


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"scores": {"a": {"draws": 5_000}}}, "scores.a.draws"),
        ({"diagnostics": {"draws": 10**7}}, "diagnostics.draws"),
        ({"datasets": {"a": {"problems": 10**9}}}, "datasets.a.problems"),
        ({"evaluate": {"benchmarks": {"a": {"decodings": [{"samples": 10**6}]}}}}, "samples"),
        ({"seeds": list(range(2_000)), "arms": {str(i): {} for i in range(1_000)}}, "2,000,000"),
    ],
)
def test_more_than_any_study_asks_for(config: dict[str, Any], named: str) -> None:
    found = list(limits.exceeded(config))
    assert len(found) == 1
    assert named in found[0]


def test_files_outside_the_archive_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "mine.txt").write_text("")
    (tmp_path / "other.txt").write_text("")
    (folder / "link").symlink_to("/etc/passwd")
    assert limits.within(folder, "mine.txt")
    for path in ("none.txt", "../other.txt", "/dev/zero", "/etc/passwd", "link"):
        assert not limits.within(folder, path), path
    assert limits.within(folder, str(provenance.ROOT / "workflow/report/report.html.j2"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("- 1\n", "a mapping"),
        ("a: !!python/object/apply:os.system [ls]\n", "not valid YAML"),
        ("a: [\n", "not valid YAML"),
        ("a: " + "[" * 2000, "not valid YAML"),
        ("#" * (2 << 20), "larger"),
    ],
)
def test_yaml_of_a_stranger(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=said):
        documents.read_yaml(path)


def test_json_of_a_stranger(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for content in (
        "[" * 100_000,
        "{",
        "\udce9".encode(errors="surrogateescape").decode("latin-1"),
    ):
        path.write_text(content)
        with pytest.raises(InputError, match="not valid JSON"):
            documents.read_json(path)
