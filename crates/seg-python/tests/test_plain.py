"""What works without any Arrow library: projects in directories, results as lists and texts."""

import pickle
import shutil
import subprocess
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import seg

ROOT = Path(os.environ["SEG_ROOT"])
SHOP = ROOT / "examples/webshop"
AT = "2024-06-30T00:00:00Z"
SCHEMA = """
[attributes]
country = "text"

[events.Order]
also = ["ordered"]
properties = { amount = "money" }
"""


def command(*args):
    """What the command prints, which is the reference here."""
    return subprocess.run([os.environ["SEG_COMMAND"], *args], check=True, capture_output=True, text=True).stdout


def members_of_command(example, at, folder):
    path = folder / "members.csv"
    command("run", str(example), "--at", at, "--members", str(path))
    members = {}
    for line in path.read_text().splitlines()[1:]:
        segment, person = line.rsplit(",", 1)
        members.setdefault(segment.strip('"'), []).append(person)
    return members


def test_a_project_gives_what_the_command_gives(tmp_path):
    program = seg.load(SHOP)
    expected = members_of_command(SHOP, AT, tmp_path)
    for people in (program.read(at=AT), program.read()):
        members = program.evaluate(people, at=AT)
        assert members.segments == program.segments
        assert {name: members.members(name) for name in program.segments if members.members(name)} == expected
        assert members.counts() == {name: len(expected.get(name, [])) for name in program.segments}
    assert len(expected) > 2


def test_instants_need_a_zone():
    program = seg.load(SHOP)
    people = program.read(at=AT)
    moment = datetime(2024, 6, 30, 2, 0, tzinfo=timezone(timedelta(hours=2)))
    assert program.evaluate(people, at=moment).at == datetime(2024, 6, 30, 0, 0, tzinfo=timezone.utc)
    for wrong in ("2026-06-01T12:00:00", "2026-06-01", "soon", datetime(2026, 6, 1)):
        with pytest.raises(seg.SegError, match="is|offset|zone"):
            program.evaluate(people, at=wrong)
    with pytest.raises(TypeError):
        program.evaluate(people, at=5)
    # What older events decide was left out for one instant.
    with pytest.raises(seg.SegError, match="leave out `at`"):
        program.evaluate(people, at="2024-05-01T12:00:00Z")
    with pytest.raises(seg.SegError, match="leave out `at`"):
        program.explain(people, "1", at=AT)


def test_errors_print_what_the_command_prints(tmp_path):
    text = 'segment "Germans" include people whose cuontry is "DE"\n'
    with pytest.raises(seg.CompileError) as caught:
        seg.compile(SCHEMA, {"germans.seg": text})
    (tmp_path / "seg.toml").write_text('name = "x"\n')
    (tmp_path / "schema.toml").write_text(SCHEMA)
    (tmp_path / "germans.seg").write_text(text)
    checked = subprocess.run([os.environ["SEG_COMMAND"], "check", str(tmp_path)], capture_output=True, text=True)
    assert str(caught.value).strip() in checked.stdout + checked.stderr
    (one,) = caught.value.diagnostics
    assert one["code"].startswith("E")
    assert isinstance(caught.value, seg.SegError)
    with pytest.raises(seg.SegError, match="no such directory"):
        seg.load(tmp_path / "nowhere")
    with pytest.raises(seg.SegError, match="time zone"):
        seg.compile(SCHEMA, {}, timezone="Berlin")
    with pytest.raises(TypeError, match="is no table"):
        seg.load(SHOP).evaluate([1, 2], at=AT)


def test_programs_pickle_as_texts():
    text = 'list "eu" from "eu.csv"\nsegment "EU" include people whose country is in list "eu"\n'
    program = seg.compile(SCHEMA, {"eu.seg": text}, timezone="Europe/Berlin", lists={"eu.csv": ["DE", "FR"]})
    again = pickle.loads(pickle.dumps(program))
    assert again.segments == ["EU"] and again.timezone == "Europe/Berlin"
    assert again.texts() == program.texts()
    assert again.reads(AT) == {"attributes": ["country"], "events": {}}


def test_people_are_explained_and_sampled():
    program = seg.load(SHOP)
    people = program.read()
    members = program.evaluate(people, at=AT)
    name = next(name for name, n in members.counts().items() if n > 0)
    drawn = program.sample(people, name, 3, at=AT, seed="x")
    assert drawn and {person["id"] for person in drawn} <= set(members.members(name))
    of_command = command("sample", name, str(SHOP), "--at", AT, "-n", "3", "--seed", "x")
    assert all(f" {person['id']} " in of_command for person in drawn)
    explained = program.explain(people, drawn[0]["id"], name, at=AT)
    (one,) = explained["segments"]
    assert one["segment"] == name and one["is_in"] and one["why"]["holds"]
    with pytest.raises(seg.SegError, match="did you mean"):
        program.sample(people, name + "s", at=AT)


def test_histories_end_with_the_sizes():
    program = seg.load(SHOP)
    people = program.read()
    history = program.history(people, at=AT, days=7)
    assert history.column_names == ["segment", "at", "size", "entered", "left"]
    assert len(history) == 7 * len(program.segments)


def test_tests_of_a_project_run():
    results = seg.load(ROOT / "examples/d2c-store").test()
    assert results and all(result["passed"] for result in results), results


def test_stores_give_the_same(tmp_path):
    project = tmp_path / "shop"
    shutil.copytree(SHOP, project)
    packed = seg.pack(project, tmp_path / "store")
    program = seg.load(project)
    assert packed["people"] == len(program.read())
    stored = program.evaluate(program.open_store(tmp_path / "store", at=AT), at=AT)
    assert stored.counts() == program.evaluate(program.read(at=AT), at=AT).counts()


def test_notebooks_escape():
    program = seg.compile(SCHEMA, {"a.seg": 'segment "<b>" include people whose country is "DE"\n'})
    assert "<b>" not in program.warnings._repr_html_()
    people = seg.load(SHOP).read(at=AT)
    assert "people" in people._repr_html_()
    assert "<table>" in seg.load(SHOP).evaluate(people, at=AT)._repr_html_()
