from __future__ import annotations

from streams.summed_log import EVERY_S, SummedLog


def test_the_first_of_each_kind_at_once_then_a_count_a_minute_and_the_rest_at_the_end() -> None:
    now, lines, asked = [0.0], list[tuple[str, int, str]](), list[str]()
    summed: SummedLog[str] = SummedLog(lambda *line: lines.append(line), lambda: now[0])

    def note(kind: str, text: str) -> None:
        def ask() -> str:
            asked.append(text)
            return text

        summed.note(kind, ask)

    for number in range(1_000):
        note("a", f"a{number}")
    note("b", "b0")
    assert lines == [("a", 1, "a0"), ("b", 1, "b0")]
    # A text is made only for what may be shown.
    assert asked == ["a0", "a1", "b0"]
    now[0] = EVERY_S - 0.1
    summed.look()
    assert len(lines) == 2
    now[0] = EVERY_S
    summed.look()
    summed.look()
    assert lines[2:] == [("a", 999, "a1")]
    note("a", "a1000")
    summed.look()
    assert len(lines) == 3
    summed.close()
    summed.close()
    assert lines[3:] == [("a", 1, "a1000")]
