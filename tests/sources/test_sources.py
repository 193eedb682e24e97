import hashlib
import http.server
import threading
from pathlib import Path

import pytest
import yaml

from limr.core.errors import InputError, IntegrityError
from limr.sources import pinned

CONTENT = b"twelve bytes"
SHIPPED = Path(__file__).parents[2] / "config" / "sources.yaml"


def source(**changes):
    entry = {
        "name": "file",
        "title": "A file",
        "url": "http://127.0.0.1:9/file",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "bytes": len(CONTENT),
        "mirror": "folder/file.json",
        "licence": "MIT",
    }
    return pinned.Source(**{**entry, **changes})


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        if self.server.failures >= self.server.requests:
            self.send_error(503)
        elif self.path != "/file":
            self.send_error(404)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.server.content)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(pinned.time, "sleep", lambda seconds: None)
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.content, httpd.failures, httpd.requests = CONTENT, 0, 0
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    httpd.url = f"http://127.0.0.1:{httpd.server_port}"
    yield httpd
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def mirror(tmp_path):
    path = tmp_path / "mirror" / "folder" / "file.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return tmp_path / "mirror"


def left_in(folder):
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def test_from_the_mirror(tmp_path, mirror):
    output = tmp_path / "out" / "file.json"
    pinned.fetch(source(), output, mirror)
    assert output.read_bytes() == CONTENT
    assert left_in(output.parent) == ["file.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (CONTENT[:-1], "has 11 bytes, expected 12"),  # cut short
        (CONTENT + b"!", "has more than 12 bytes, expected 12"),
        (b"twelve bytez", "has sha256 .*, expected "),  # altered, of the same size
        (b"", "has 0 bytes"),
    ],
)
def test_a_wrong_file_leaves_nothing_and_spares_what_stood_there(
    tmp_path, mirror, content, message
):
    (mirror / "folder" / "file.json").write_bytes(content)
    output = tmp_path / "out" / "file.json"
    with pytest.raises(IntegrityError, match=message):
        pinned.fetch(source(), output, mirror)
    assert left_in(output.parent) == []
    output.write_bytes(b"old")
    with pytest.raises(IntegrityError, match=r"nothing was kept"):
        pinned.fetch(source(), output, mirror)
    assert output.read_bytes() == b"old"


def test_a_mirror_without_the_file_never_turns_to_the_network(tmp_path, mirror, server):
    (mirror / "folder" / "file.json").unlink()
    with pytest.raises(InputError, match=r"the mirror lacks .*folder/file\.json.*LIMR_MIRROR"):
        pinned.fetch(source(url=server.url + "/file"), tmp_path / "out.json", mirror)
    assert server.requests == 0
    assert not (tmp_path / "out.json").exists()


def test_a_mirror_that_is_no_folder(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        pinned.fetch(source(), tmp_path / "out.json", tmp_path / "nowhere")


def test_download(tmp_path, server, capsys):
    pinned.fetch(source(url=server.url + "/file"), tmp_path / "out.json")
    assert (tmp_path / "out.json").read_bytes() == CONTENT
    assert capsys.readouterr().out == ""


def test_a_passing_failure_is_tried_again(tmp_path, server):
    server.failures = 2
    pinned.fetch(source(url=server.url + "/file"), tmp_path / "out.json")
    assert server.requests == 3


def test_a_lasting_failure_is_said(tmp_path, server):
    server.failures = 99
    with pytest.raises(InputError, match=r"attempt 3 of 3.*LIMR_MIRROR"):
        pinned.fetch(source(url=server.url + "/file"), tmp_path / "out.json")
    assert server.requests == 3
    assert left_in(tmp_path) == []


def test_a_missing_page_is_not_tried_again(tmp_path, server):
    with pytest.raises(InputError, match="404"):
        pinned.fetch(source(url=server.url + "/other"), tmp_path / "out.json")
    assert server.requests == 1


def test_a_refused_connection_is_said(tmp_path, server):
    url = server.url + "/file"
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match="could not download"):
        pinned.fetch(source(url=url), tmp_path / "out.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (CONTENT[:5], "has 5 bytes, expected 12"),
        (CONTENT * 100_000, "has more than 12 bytes"),
        (b"twelve bytez", "sha256"),
    ],
)
def test_a_wrong_download_leaves_nothing(tmp_path, server, content, message):
    server.content = content
    with pytest.raises(IntegrityError, match=message):
        pinned.fetch(source(url=server.url + "/file"), tmp_path / "out.json")
    assert left_in(tmp_path) == []
    assert server.requests == 1


def test_the_shipped_list_is_valid_and_pinned_to_commits():
    listed = pinned.load_sources(SHIPPED)
    assert {"limr_math_full", "limr_published_lim_scores", "aime24", "amc23", "math500"} <= set(
        listed
    )
    for name, entry in listed.items():
        assert entry.first_use or any(len(part) == 40 for part in entry.url.split("/")), name
    assert [name for name, entry in listed.items() if entry.lock] == ["limo", "s1k"]
    assert len({entry.mirror for entry in listed.values()}) == len(listed)


def test_find_names_the_nearest():
    assert pinned.find({"aime24": source()}, "aime24") == source()
    with pytest.raises(InputError, match="Did you mean 'aime24'"):
        pinned.find({"aime24": source()}, "aime42")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": "0" * 63 + "G"}, "64 lower-case hexadecimal"),
        ({"sha256": "00"}, "sha256"),
        ({"sha256": None}, "one of 'sha256'"),
        ({"git_blob": "0" * 40}, "one of 'sha256'"),
        ({"sha256": None, "git_blob": "0" * 39}, "40 lower-case hexadecimal"),
        ({"bytes": None}, "belong together"),
        ({"url": "file:///etc/hosts"}, "must start with https"),
        ({"mirror": "../outside"}, "path inside the mirror"),
        ({"mirror": "/absolute"}, "path inside the mirror"),
        ({"bytes": 0}, "bytes"),
        ({"sha265": "0"}, "Did you mean 'sha256'"),
    ],
)
def test_a_bad_list_is_refused(tmp_path, changes, message):
    entry = {**source().model_dump(include=set(pinned.Entry.model_fields)), **changes}
    path = tmp_path / "sources.yaml"
    path.write_text(yaml.safe_dump({"file": entry}), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        pinned.load_sources(path)


def test_an_unreadable_list_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        pinned.load_sources(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(InputError, match="not valid YAML"):
        pinned.load_sources(tmp_path / "bad.yaml")
