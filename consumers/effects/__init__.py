"""What plays do: those who were drawn to be held out against those who were not.

From what became of warnings and from the actions of the team, as files or a store have them: which warnings
count (`cohort`), the two sides and what follows from them (`effect`), what was spent and gained (`money`),
and whether the reasons that warnings suggest are those that the team finds (`reasons`).
"""
