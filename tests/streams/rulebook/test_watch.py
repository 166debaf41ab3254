"""Rule files that change under a worker's eyes, however they come."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from streams.errors import RuleFilesError
from streams.rulebook.revisions import RuleRevision
from streams.rulebook.watch import RefusedRuleFiles, RuleWatch, placed_at

RULES = "version: 1\nrules:\n  - {id: %s, when: orders_total >= 1, tier: low, reason: test}\n"


def folder_of(place: Path, **rules: str) -> Path:
    place.mkdir()
    for name, rule in rules.items():
        (place / f"{name}.yaml").write_text(RULES % rule)
    return place


def ids(found: object) -> list[str]:
    assert isinstance(found, RuleRevision), found
    return [rule.id for rule in found.rules.rules]


def test_a_folder_that_is_being_copied_is_not_taken_before_it_holds_still(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "rules", one="a")
    watch = RuleWatch(folder)
    assert ids(watch.current) == ["a"]
    assert watch.look() is None
    for number in range(3):
        (folder / f"more{number}.yaml").write_text(RULES % f"b{number}")
        assert watch.look() is None
    found = watch.look()
    assert ids(found) == ["a", "b0", "b1", "b2"]
    assert isinstance(found, RuleRevision)
    assert set(found.files) == {"one.yaml", "more0.yaml", "more1.yaml", "more2.yaml"}
    assert watch.look() is None


def test_a_folder_is_swapped_as_a_whole_behind_a_link(tmp_path: Path) -> None:
    folder_of(tmp_path / "first", one="a")
    folder_of(tmp_path / "second", one="b")
    link = tmp_path / "rules"
    link.symlink_to("first")
    watch = RuleWatch(link)
    (tmp_path / "next").symlink_to("second")
    (tmp_path / "next").replace(link)
    assert watch.look() is None
    assert ids(watch.look()) == ["b"]


def test_a_volume_of_links_as_kubernetes_makes_it(tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    for name in ("a", "b"):
        folder_of(mount / f"..{name}", one=name)
    (mount / "..data").symlink_to("..a")
    (mount / "one.yaml").symlink_to("..data/one.yaml")
    watch = RuleWatch(mount)
    assert ids(watch.current) == ["a"]
    (mount / "..next").symlink_to("..b")
    (mount / "..next").replace(mount / "..data")
    assert [watch.look(), ids(watch.look())] == [None, ["b"]]


def test_a_bad_set_is_told_once_and_again_when_it_comes_back(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "rules", one="a")
    watch = RuleWatch(folder)
    (folder / "one.yaml").write_text("version: 2\n")
    assert watch.look() is None
    assert watch.look() == RefusedRuleFiles(
        (
            f"{folder}/one.yaml:1: `rules` is missing",
            f"{folder}/one.yaml:1: `version` must be 1, not '2'",
        )
    )
    assert watch.look() is None
    (folder / "one.yaml").unlink()
    watch.look()
    gone = watch.look()
    assert isinstance(gone, RefusedRuleFiles)
    assert "there is no rule file" in gone.mistakes[0]
    (folder / "one.yaml").write_text(RULES % "a")
    watch.look()
    assert ids(watch.look()) == ["a"]


def test_a_file_that_cannot_be_read_or_is_too_large_is_refused_not_passed_over(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "rules", one="a")
    watch = RuleWatch(folder)
    with (folder / "two.yaml").open("wb") as file:
        file.truncate(3_000_000_000)
    watch.look()
    assert watch.look() == RefusedRuleFiles((f"{folder}/two.yaml:1: is larger than 1 MB",))
    (folder / "two.yaml").unlink()
    (folder / "two.yaml").symlink_to("/proc/self/mem")  # readable by name only
    watch.look()
    found = watch.look()
    assert isinstance(found, RefusedRuleFiles)
    assert "two.yaml: cannot be read: " in found.mistakes[0]


def test_files_that_are_touched_make_a_revision_although_they_say_the_same(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "rules", one="a")
    watch = RuleWatch(folder)
    assert [watch.look(), watch.look()] == [None, None]
    before = watch.current.placed_at
    while placed_at(folder) <= before:
        os.utime(folder / "one.yaml")
    found = watch.look()
    assert ids(found) == ["a"]
    assert isinstance(found, RuleRevision)
    assert found.placed_at > before
    assert watch.look() is None


def test_segment_rules_are_part_of_a_revision(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "rules", one="a")
    watch = RuleWatch(folder)
    assert not watch.current.segment_rules
    rule = "{id: rise, by: region, when: complaints_7d > 3, tier: low, reason: test}"
    (folder / "two.yaml").write_text(f"version: 1\nsegments: [{rule}]\n")
    watch.look()
    found = watch.look()
    assert isinstance(found, RuleRevision)
    assert [each.rule.id for each in found.segment_rules.rules] == ["rise"]


def test_a_worker_does_not_start_with_a_bad_set(tmp_path: Path) -> None:
    with pytest.raises(RuleFilesError, match="there is no such file or folder"):
        RuleWatch(tmp_path / "nowhere")


def test_a_link_that_is_set_back_to_an_old_folder_is_news(tmp_path: Path) -> None:
    first, second = folder_of(tmp_path / "first", one="a"), folder_of(tmp_path / "second", one="b")
    link = tmp_path / "rules"
    link.symlink_to(first)
    newest = max(placed_at(second), placed_at(first))
    while True:  # file systems count time in steps of milliseconds
        (tmp_path / "next").symlink_to(first)
        (tmp_path / "next").replace(link)
        if placed_at(link) > newest:
            break
    assert placed_at(first) <= newest


def test_a_git_checkout_says_its_revision_and_author(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "rules", one="a")
    git = ["git", "-C", str(folder), "-c", "user.name=On Call", "-c", "user.email=on@call"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "rules"]):
        subprocess.run([*git, *command], check=True, env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull})
    watch = RuleWatch(folder)
    assert watch.current.author == "On Call"
    revision = watch.current.revision
    assert revision is not None
    (folder / "one.yaml").write_text(RULES % "b")
    watch.look()
    found = watch.look()
    assert isinstance(found, RuleRevision)
    assert found.revision == f"{revision} and changes"


def test_plays_and_reasons_are_watched_with_the_rules(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "rules", one="a")
    watch = RuleWatch(folder)
    before = watch.current.rules.hash
    plays = "version: 1\nplays: [{id: call, success: {chance: %s, source: prior}}]\n"
    (folder / "plays.yaml").write_text(plays % 0.1)
    assert watch.look() is None
    found = watch.look()
    assert isinstance(found, RuleRevision)
    assert (ids(found), found.rules.plays.plays[0].id) == (["a"], "call")
    assert found.rules.hash != before
    assert set(found.files) == {"one.yaml", "plays.yaml"}
    (folder / "plays.yaml").write_text(plays % 7)
    watch.look()
    refused = watch.look()
    assert isinstance(refused, RefusedRuleFiles)
    assert refused.mistakes[0].startswith(
        f"{folder / 'plays.yaml'}:2: play 'call': `chance` must be a number"
    )
    (folder / "plays.yaml").unlink()
    watch.look()
    gone = watch.look()
    assert isinstance(gone, RuleRevision)
    assert gone.rules.hash == before
