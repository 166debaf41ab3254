"""The page around the plots."""

from consumers.page import html


def test_what_comes_from_outside_is_text() -> None:
    page = html.page("<t>", ["<lead>"], [("<f>", "<w>", "<n>")], [html.section("<s>", "<note>", "")])
    page += html.table(['"<head>'], [("", [html.cell("<cell>", "<small>")])]) + html.listed(["<li>x"])
    for raw in ("<t>", "<lead>", "<f>", "<w>", "<n>", "<s>", "<note>", '"<head>', "<cell>", "<li>x"):
        assert raw not in page, raw


def test_a_wide_table_is_cards_on_a_phone_and_each_cell_knows_its_head() -> None:
    wide = html.table(["", "b", "c", "d", "e"], [("", list("vwxyz"))])
    assert '<table class="cards">' in wide
    assert '<td data-head="b"><div>w</div></td>' in wide
    assert "cards" not in html.table(["a", "b"], [("", ["1", "2"])])
    rules = html.STYLE[html.STYLE.index("@media (max-width:700px)") :]
    assert ".cards td::before { content:attr(data-head)" in rules
    assert ".broad { display:none; } .narrow { display:block; }" in rules
