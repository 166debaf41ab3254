"""The SQL that a condition may use, as a grammar, and the SQL that it may not, with the reason.

The grammar is closed: a form of SQL that is not written here cannot be parsed, whatever a library learns.
"""

from __future__ import annotations

from typing import Final

GRAMMAR: Final = r"""
?start: expression

?expression: conjunction
    | expression _OR conjunction                                   -> either
?conjunction: negation
    | conjunction _AND negation                                    -> both
?negation: predicate
    | _NOT negation                                                -> opposite
?predicate: sum
    | sum COMPARISON sum                                           -> compare
    | sum _BETWEEN sum _AND sum                                    -> between
    | sum _NOT _BETWEEN sum _AND sum                               -> not_between
    | sum _IN "(" expression ("," expression)* ")"                 -> among
    | sum _NOT _IN "(" expression ("," expression)* ")"            -> not_among
    | sum LIKE sum (_ESCAPE sum)?                                  -> like
    | sum _NOT LIKE sum (_ESCAPE sum)?                             -> not_like
    | sum _IS (NULL | TRUE | FALSE)                                -> is_so
    | sum _IS _NOT (NULL | TRUE | FALSE)                           -> is_not_so
?sum: product
    | sum SIGN product                                             -> arithmetic
?product: signed
    | product (STAR | OVER) signed                                 -> arithmetic
?signed: atom
    | SIGN signed                                                  -> signed
?atom: NUMBER | STRING | NAME | QUOTED | TRUE | FALSE | NULL | COMMENT
    | "(" expression ")"                                           -> parentheses
    | _CASE when+ [_ELSE expression] _END                          -> case
    | _CASE expression when+ [_ELSE expression] _END               -> case_of
    | _CAST "(" expression _AS NAME NAME? ")"                      -> cast
    | NAME "(" [argument ("," argument)*] ")"                      -> call
when: _WHEN expression _THEN expression
?argument: expression | STAR

COMPARISON: "<=" | ">=" | "<>" | "!=" | "<" | ">" | "="
SIGN: "+" | "-"
STAR: "*"
OVER: "/" | "%"

_OR.2: /or(?!\w)/i
_AND.2: /and(?!\w)/i
_NOT.2: /not(?!\w)/i
_BETWEEN.2: /between(?!\w)/i
_IN.2: /in(?!\w)/i
LIKE.2: /i?like(?!\w)/i
_ESCAPE.2: /escape(?!\w)/i
_IS.2: /is(?!\w)/i
_CASE.2: /case(?!\w)/i
_WHEN.2: /when(?!\w)/i
_THEN.2: /then(?!\w)/i
_ELSE.2: /else(?!\w)/i
_END.2: /end(?!\w)/i
_CAST.2: /cast(?!\w)/i
_AS.2: /as(?!\w)/i
TRUE.2: /true(?!\w)/i
FALSE.2: /false(?!\w)/i
NULL.2: /null(?!\w)/i

COMMENT.2: /--|\/\*/
NUMBER: /(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?(?![\w.])/i
STRING: /'([^']|'')*'/
QUOTED: /"([^"]|"")+"/
NAME: /[^\W\d]\w*/
%ignore /\s+/
"""

KEYWORDS: Final = (
    *("OR", "AND", "NOT", "BETWEEN", "IN", "LIKE", "ILIKE", "ESCAPE", "IS", "CASE", "WHEN", "THEN", "ELSE"),
    *("END", "CAST", "AS", "TRUE", "FALSE", "NULL"),
)

_WINDOW: Final = "a window (OVER) looks at other customers; a rule judges one customer by its own features"
_AGGREGATE: Final = "an aggregate looks at other customers; a rule judges one customer by its own features"
_SUBQUERY: Final = "a subquery cannot be used in a rule"
_CLOCK: Final = "dates and times cannot be used in a rule; use days_since_order and the like"
_CHANCE: Final = "chance cannot be used in a rule; its verdict would not be the same again"
_PATTERN: Final = "regular expressions cannot be used in a rule; use LIKE"

COMMENT: Final = "holds a SQL comment; write it as a YAML comment (#) above the field"
REFUSED_WORDS: Final = {
    **dict.fromkeys(("OVER", "PARTITION"), _WINDOW),
    **dict.fromkeys(("SELECT", "EXISTS", "ANY", "ALL", "SOME"), _SUBQUERY),
    **dict.fromkeys(("DATE", "TIME", "TIMESTAMP", "INTERVAL"), _CLOCK),
    **dict.fromkeys(("CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME"), _CLOCK),
    **dict.fromkeys(("RLIKE", "REGEXP", "SIMILAR"), _PATTERN),
    "DISTINCT": "DISTINCT cannot be used in a rule; use = and IS NULL",
    "XOR": "XOR cannot be used in a rule; use AND, OR and NOT",
    "COLLATE": "COLLATE cannot be used in a rule; words are compared letter by letter",
}
"""Words of SQL that no condition has, wherever they stand."""

REFUSED_FUNCTIONS: Final = {
    **dict.fromkeys(
        ("SUM", "AVG", "MEAN", "COUNT", "MIN", "MAX", "MEDIAN", "STDDEV", "VAR", "VARIANCE", "CORR", "FIRST",
         "LAST", "FIRST_VALUE", "LAST_VALUE", "ARRAY_AGG", "STRING_AGG", "QUANTILE_DISC", "QUANTILE_CONT"),
        _AGGREGATE,
    ),
    **dict.fromkeys(("ROW_NUMBER", "RANK", "DENSE_RANK", "LAG", "LEAD", "NTILE"), _WINDOW),
    **dict.fromkeys(("NOW", "TODAY", "DATE_PART", "EXTRACT", "STRFTIME"), _CLOCK),
    **dict.fromkeys(("RANDOM", "RAND", "UUID"), _CHANCE),
    **dict.fromkeys(("REGEXP_LIKE", "REGEXP_MATCHES"), _PATTERN),
    "UNNEST": "UNNEST gives several rows; a rule judges one customer at a time",
    "IF": "IF cannot be used in a rule; use CASE WHEN ... THEN ... ELSE ... END",
    "POWER": "POWER cannot be used in a rule; multiply instead",
}  # fmt: skip
"""Functions that people try, with a better answer than that they are unknown."""
