"""What the desk is made of, and the command that serves it."""

from pathlib import Path
from shutil import copytree

from lapwing.desk import RuleFolder
from tests.paths import ROOT


def test_the_rule_folder_is_read_again_when_it_changes_and_kept_while_it_is_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    copytree(ROOT / "warning_rules", folder)
    rules = RuleFolder(folder)
    before = rules.current()
    assert before.error is None
    assert before is rules.current()
    assert before.rule("model-high") is not None
    assert {each.by for each in before.rules} > {None}
    care = before.play("care-call")
    assert care is not None
    assert (care.items, care.success) == (("labour",), 0.15)
    assert all(each.group_title for each in before.reasons)

    activity = folder / "activity.yaml"
    text = activity.read_text()
    activity.write_text(text + "\nnonsense: here\n")
    wrong = rules.current()
    assert wrong.rules == before.rules
    assert "nonsense" in (wrong.error or "")

    activity.write_text(text.replace("rules:", "# a remark\nrules:", 1) + "\n")
    assert rules.current().error is None
