from __future__ import annotations

import errno
import json
import os

import pytest

from lensdetect.errors import InputError
from lensdetect.runs import read_json, writable, write_folder, write_json, write_whole, writing


def test_a_file_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def fail(file):
        file.write(b"half of the n")
        raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError, match="disk on fire"):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_flushed_before_it_counts_and_its_name_after(tmp_path, monkeypatch):
    steps = []
    fsync, commit = os.fsync, writing.commit

    def flush(descriptor):
        steps.append("folder" if os.path.isdir(f"/dev/fd/{descriptor}") else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(writing, "commit", lambda *paths: (steps.append("commit"), commit(*paths)))
    write_whole(tmp_path / "dear.npz", lambda file: file.write(b"days of work"))
    write_whole(tmp_path / "cheap.png", lambda file: file.write(b"a second"), durable=False)
    assert steps == ["file", "commit", "folder", "commit"]


def test_a_disk_that_cannot_flush_is_no_failure_and_one_that_fails_is(tmp_path, monkeypatch):
    def fail(code):
        def flush(descriptor):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, "fsync", flush)

    fail(errno.EINVAL)
    write_whole(tmp_path / "a", lambda file: file.write(b"1"))
    fail(errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        write_whole(tmp_path / "b", lambda file: file.write(b"1"))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_is_there_whole_or_not(tmp_path):
    folder = tmp_path / "model"

    def write(partial):
        (partial / "variables").mkdir()
        (partial / "variables" / "data").write_text("weights")
        assert not folder.exists()
        return "result"

    assert write_folder(folder, write) == "result"
    with pytest.raises(RuntimeError, match="disk on fire"):
        write_folder(tmp_path / "other", _burn)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (folder / "variables" / "data").read_text() == "weights"


def test_a_folder_gives_way_only_where_asked_and_stays_if_that_fails(tmp_path, monkeypatch):
    folder = tmp_path / "objects"
    write_folder(folder, lambda partial: (partial / "a").write_text("old"))
    with pytest.raises(OSError, match="not empty"):
        write_folder(folder, lambda partial: (partial / "b").write_text("new"))
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(writing, "commit", _no_space)
        write_folder(folder, lambda partial: (partial / "b").write_text("new"), replace=True)
    assert [path.name for path in folder.iterdir()] == ["a"] and list(tmp_path.iterdir()) == [folder]
    write_folder(folder, lambda partial: (partial / "b").write_text("new"), replace=True)
    assert [path.name for path in folder.iterdir()] == ["b"] and list(tmp_path.iterdir()) == [folder]


def test_values_come_back(tmp_path):
    path = tmp_path / "plan.json"
    write_json(path, {"b": [1, 2.5], "a": "\u00e9"}, sort_keys=True)
    assert read_json(path, remedy="train again") == {"a": "\u00e9", "b": [1, 2.5]}
    assert path.read_text().startswith('{\n  "a"')


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be JSON as lensdetect wrote it, got Expecting value"),
        (b'{"a": 1', "must be JSON as lensdetect wrote it"),
        (b"\xff\xfe\xfd", "must be JSON as lensdetect wrote it"),
        (b"[" * 100_000, "must be JSON as lensdetect wrote it, got maximum recursion"),
        (json.dumps([1, 2]).encode(), r"must hold names with values as lensdetect wrote it, got \[1, 2\]"),
    ],
)
def test_damaged_values_are_one_line_with_the_way_out(tmp_path, content, message):
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"plan.json {message}.*: train again$"):
        read_json(path, remedy="train again")


def test_values_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match="plan.json must be a file that can be read, got No such file.*: train again"):
        read_json(tmp_path / "plan.json", remedy="train again")


def test_a_full_disk_is_one_line(tmp_path):
    with pytest.raises(InputError, match="stamps must be writable to .*, got No space left on device: make room"):
        with writable(tmp_path, what="stamps"):
            _no_space()


def _burn(partial):
    (partial / "half").write_text("")
    raise RuntimeError("disk on fire")


def _no_space(*_):
    raise OSError(errno.ENOSPC, "No space left on device")
