"""What was lost by class, segment, region, channel, origin and tenure, as people read it."""

from __future__ import annotations

from consumers.reports.document import Plot, Section
from consumers.reports.groups import Groups
from consumers.reports.pages.group_tables import definitions, is_unknown, lost_plot, lost_table
from consumers.reports.pages.lost_words import BASES, BY, WHYS, marks, small_note
from consumers.reports.words import Words


def section(part: Groups, words: Words) -> Section:
    """Return the section of groups."""
    _ = words.gettext
    plots: list[Plot] = [plot for table in part.tables for plot in lost_plot(table, words)]
    unknown = [table for table in part.tables if is_unknown(table)]
    remarks = [_("Counted by {basis}.", basis=_(BASES[part.basis])), small_note(words)]
    if part.why is not None:
        remarks.insert(0, _("Counted by each customer's outcomes: {why}.", why=_(WHYS[part.why])))
    remarks += [_("{by}: known of no customer.", by=_(BY[table.by])) for table in unknown]
    if part.marks:
        what = marks(part.marks, words)
        remarks.insert(0, _("{period}: {what}.", period=part.period.title(words.locale), what=what))
    return Section(
        key="groups",
        title=_("Who was lost"),
        note=_(
            "The share of all the lost is large where a group is large; the rate within the group says how "
            "many of the group itself were lost."
        ),
        plots=plots,
        tables=[
            lost_table(table, words, _(BY[table.by]))
            for table in part.tables
            if table.groups and table not in unknown
        ],
        remarks=remarks,
        definitions=definitions(part.tables[0], words),
    )
