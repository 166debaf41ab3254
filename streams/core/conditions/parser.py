"""SQL text -> condition: what the grammar knows, with its types checked.

`streams.core.conditions.grammar` holds the closed list of what may be written. Its tree is read here node by
node into `streams.core.conditions.tree`; mistakes are collected with their places and reported together.
"""

from __future__ import annotations

import difflib
import functools
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, cast

import polars as pl
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from streams.core.conditions import tree as c
from streams.core.conditions.grammar import COMMENT, GRAMMAR, KEYWORDS, REFUSED_FUNCTIONS, REFUSED_WORDS
from streams.core.conditions.patterns import like
from streams.errors import RuleError

LONGEST: Final = 2000
"""Characters in a condition."""
DEEPEST: Final = 150
"""Levels of a condition's tree, parentheses included; a chain of n `AND`s has n levels."""
MOST_DECIMALS: Final = 15
"""Decimals that ROUND may keep: a number has no more of them."""

Catalogue = Mapping[str, "pl.DataType | type[pl.DataType]"]
Parsed = Tree[Token] | Token
Read = c.Node | None
"""`None` stands for what was refused already, so that one mistake is reported once."""

_MIRRORED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_FUNCTIONS: Final = {
    "ABS": "abs", "CEIL": "ceil", "CEILING": "ceil", "FLOOR": "floor", "SIGN": "sign", "SQRT": "sqrt",
}  # fmt: skip
_OTHERS: Final = (
    *("ROUND", "MOD", "GREATEST", "LEAST", "COALESCE", "IFNULL", "NULLIF"),
    *("LOWER", "UPPER", "STARTS_WITH", "ENDS_WITH"),
)
_DOUBLES: Final = ("DOUBLE", "DOUBLE PRECISION", "FLOAT")
_NO_NULL: Final = "a comparison with NULL is never true; write IS NULL or IS NOT NULL"
_NO_TRUTH: Final = "do not compare with TRUE or FALSE; write the condition itself, or NOT (...)"


@dataclass(frozen=True, slots=True)
class ConditionMistake:
    """One thing that is wrong with a condition."""

    message: str
    hint: str | None = None
    """The likely right word."""
    place: str = ""
    """Where in the text it is: `column 5`, or `line 2, column 5` where the text has several lines."""

    def __str__(self) -> str:
        return f"{self.message} ({self.place})" if self.place else self.message


class ConditionError(RuleError):
    """A condition that is not a row-wise boolean expression over the catalogue."""

    def __init__(self, mistakes: Sequence[ConditionMistake]) -> None:
        super().__init__("; ".join(map(str, mistakes)))
        self.mistakes: Final = tuple(mistakes)


def parse_condition(sql: str, catalogue: Catalogue) -> c.Condition:
    """Return the condition that `sql` states, or raise `ConditionError` with all its mistakes."""
    if not sql.strip():
        raise ConditionError([ConditionMistake("is empty")])
    if len(sql) > LONGEST:
        raise ConditionError([ConditionMistake(f"is longer than {LONGEST} characters")])
    reader = _ConditionReader(catalogue, several_lines="\n" in sql.strip())
    node = reader.read(reader.parse(sql), 0)
    if node is not None and not isinstance(node, c.CONDITION):
        what = "a number" if isinstance(node, c.NUMERIC) else "a word"
        reader.refuse(None, f"gives {what}, not true or false; compare it with something")
    if reader.mistakes:
        raise ConditionError(reader.mistakes)
    return cast(c.Condition, node)


def closest(name: str, names: Iterable[str]) -> str | None:
    """Return the name most like `name`, or `None` where none is near.

    >>> closest("order_30d", ["orders_30d", "overdue"])
    'orders_30d'
    """
    return _nearest(name.casefold(), names)


def _nearest(word: str, words: Iterable[str]) -> str | None:
    near = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return near[0] if near else None


@functools.cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=False)


class _ConditionReader:
    """One condition being read; mistakes are collected, so that all are reported at once."""

    def __init__(self, catalogue: Catalogue, *, several_lines: bool) -> None:
        self.catalogue = catalogue
        self.several_lines = several_lines
        self.mistakes: list[ConditionMistake] = []

    def refuse(self, at: Parsed | None, message: str, hint: str | None = None) -> None:
        """Note a mistake."""
        place = at.meta if isinstance(at, Tree) else at
        line, column = (None, None) if place is None else (place.line, place.column)
        self._note(message, hint, line, column)

    def _note(self, message: str, hint: str | None, line: int | None, column: int | None) -> None:
        place = "" if column is None else f"column {column}"
        if place and self.several_lines:
            place = f"line {line}, {place}"
        mistake = ConditionMistake(message, hint, place)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)

    # -- text -> tree -------------------------------------------------------------------------------

    def parse(self, sql: str) -> Parsed:
        """Return the tree of a text, or raise `ConditionError` where the grammar has no such text."""
        try:
            refused: dict[str, Token] = {}
            for token in _parser().lex(sql):
                if token.type == "COMMENT":
                    refused.setdefault(COMMENT, token)
                elif token.type == "NAME" and (reason := REFUSED_WORDS.get(token.upper())):
                    refused.setdefault(reason, token)
            for reason, token in refused.items():
                self.refuse(token, reason)
            if not self.mistakes:
                return _parser().parse(sql)
        except UnexpectedCharacters as error:
            rest = sql[error.pos_in_stream :]
            self._note(self._unreadable(rest), _operator_of_sql(rest), error.line, error.column)
        except UnexpectedToken as error:
            self._unexpected(error.token, sql)
        raise ConditionError(self.mistakes)

    def _unreadable(self, rest: str) -> str:
        if rest[0] in "'\"":
            return f"the text in quotes that begins with {rest[:10]} has no end"
        return f"cannot be read as a SQL condition: unexpected {rest.split()[0][:20]!r}"

    def _unexpected(self, token: Token, sql: str) -> None:
        if token.type == "$END":
            self._note("cannot be read as a SQL condition: it ends too early", None, None, None)
            return
        if token.type == "_AS":
            self.refuse(
                token, "AS (an alias) cannot be used in a rule; is an operator missing between two words?"
            )
            return
        hint = _nearest(token.upper(), KEYWORDS) if token.type == "NAME" else None
        if token == "=" and sql[: token.start_pos].endswith("="):
            hint = "="
        self.refuse(token, f"cannot be read as a SQL condition: unexpected {str(token)[:20]!r}", hint)

    # -- tree -> condition --------------------------------------------------------------------------

    def read(self, parsed: Parsed, depth: int) -> Read:
        """Return what one node of the grammar's tree means, or `None` once it is refused."""
        if depth > DEEPEST:
            self.refuse(None, "is nested too deeply")
            return None
        if isinstance(parsed, Token):
            return self._token(parsed)
        match parsed.data:
            case "parentheses":
                return self.read(parsed.children[0], depth + 1)
            case "call":
                return self._call(parsed, depth)
            case "cast":
                return self._cast(parsed, self.read(parsed.children[0], depth + 1))
            case "case":
                return self._case(parsed, None, parsed.children, depth)
            case "case_of":
                return self._case(parsed, parsed.children[0], parsed.children[1:], depth)
        given = [
            each if isinstance(each, Token) and each.type in _SIGNS else self.read(each, depth + 1)
            for each in parsed.children
        ]
        return self._operator(str(parsed.data), parsed, given)

    def _operator(self, name: str, at: Tree[Token], of: list[Any]) -> Read:
        match name:
            case "both" | "either":
                joint, word = (c.And, "AND") if name == "both" else (c.Or, "OR")
                sides = [self._condition(at.children[i], of[i], word) for i in (0, 1)]
                return None if sides[0] is None or sides[1] is None else joint(sides[0], sides[1])
            case "opposite":
                return _not(self._condition(at.children[0], of[0], "NOT"))
            case "compare":
                return self._compare(at, str(of[1]), of[0], of[2])
            case "between" | "not_between":
                inside = name == "between"
                low = self._compare(at, ">=" if inside else "<", of[0], of[1])
                high = self._compare(at, "<=" if inside else ">", of[0], of[2])
                if low is None or high is None:
                    return None
                return c.And(low, high) if inside else c.Or(low, high)
            case "among":
                return self._among(at, of[0], of[1:])
            case "not_among":
                return _not(self._among(at, of[0], of[1:]))
            case "like":
                return self._like(at, of)
            case "not_like":
                return _not(self._like(at, of))
            case "is_so":
                return self._is_null(at, of[0], of[1])
            case "is_not_so":
                return _not(self._is_null(at, of[0], of[1]))
            case "signed":
                return self._signed(at, of[0], of[1])
        return self._arithmetic(at, str(of[1]), of[0], of[2])

    def _token(self, token: Token) -> Read:
        match token.type:
            case "NUMBER":
                value = float(token)
                if math.isfinite(value):
                    return c.Number(value)
                self.refuse(token, "uses a number too large")
                return None
            case "STRING":
                return c.Word(token[1:-1].replace("''", "'"))
            case "TRUE" | "FALSE":
                return c.Constant(token.type == "TRUE")
            case "NULL":
                return c.Null()
            case "STAR":
                self.refuse(token, "a pattern of names is not a feature; name each feature")
                return None
        quoted = token.type == "QUOTED"
        return self._feature(token, token[1:-1].replace('""', '"') if quoted else str(token))

    def _feature(self, at: Token, name: str) -> Read:
        dtype = self.catalogue.get(name)
        if dtype is None:
            self.refuse(at, f"unknown feature {name!r}", closest(name, self.catalogue))
        elif dtype.is_numeric():
            return c.NumericFeature(name)
        elif dtype in (pl.String, pl.Categorical, pl.Enum):
            return c.WordFeature(name)
        else:
            self.refuse(at, f"feature {name!r} is neither a number nor a word")
        return None

    def _compare(self, at: Parsed, op: str, left: Read, right: Read) -> c.Condition | None:
        if left is None or right is None:
            return None
        if op in ("<>", "!="):
            return _not(self._compare(at, "=", left, right))
        if isinstance(left, c.Null) or isinstance(right, c.Null):
            self.refuse(at, _NO_NULL)
        elif isinstance(left, c.Constant) or isinstance(right, c.Constant):
            self.refuse(at, _NO_TRUTH)
        elif isinstance(left, c.Word) and isinstance(right, c.TEXT):
            return c.WordTest(right, _MIRRORED[op], (left.value,))
        elif isinstance(left, c.TEXT) and isinstance(right, c.Word):
            return c.WordTest(left, op, (right.value,))
        elif isinstance(left, c.NUMERIC) and isinstance(right, c.NUMERIC):
            return c.Compare(op, cast(c.Numeric, left), cast(c.Numeric, right))
        elif isinstance(left, (*c.TEXT, c.Word)) and isinstance(right, (*c.TEXT, c.Word)):
            self.refuse(at, "compares two words; compare one feature with a word in quotes")
        else:
            self.refuse(at, f"compares {_kind(left)} with {_kind(right)}")
        return None

    def _among(self, at: Parsed, of: Read, several: list[Read]) -> c.Condition | None:
        if of is None or None in several:
            return None
        known = [each for each in several if not isinstance(each, c.Null)]
        among: c.Condition | None
        if isinstance(of, c.TEXT) and known and all(isinstance(each, c.Word) for each in known):
            among = c.WordTest(of, "in", tuple(each.value for each in known if isinstance(each, c.Word)))
        elif isinstance(of, c.NUMERIC) and known and all(isinstance(each, c.Number) for each in known):
            values = tuple(each.value for each in known if isinstance(each, c.Number))
            among = c.InList(of, values)
        else:
            alternatives = [self._compare(at, "=", of, each) for each in known]
            if not known:
                self.refuse(at, _NO_NULL)
            if not known or None in alternatives:
                return None
            among = functools.reduce(c.Or, cast(list[c.Condition], alternatives))
        # A NULL in the list leaves in doubt whether what is in it nowhere else is equal to it.
        return among if len(known) == len(several) else c.Or(among, c.Null())

    def _like(self, at: Tree[Token], of: list[Any]) -> c.Condition | None:
        word, operator, pattern, *escape = of
        if word is None or pattern is None or None in escape:
            return None
        if not (isinstance(word, c.TEXT) and all(isinstance(each, c.Word) for each in (pattern, *escape))):
            self.refuse(at, f"{operator.upper()} compares a word feature with a pattern in quotes")
            return None
        words = tuple(each.value for each in (pattern, *escape))
        try:
            like(*words)
        except ValueError as error:
            self.refuse(at, str(error))
            return None
        return c.WordTest(word, operator.lower(), words)

    def _is_null(self, at: Tree[Token], of: Read, what: Read) -> c.Condition | None:
        if of is None:
            return None
        if isinstance(what, c.Constant):
            self.refuse(at, "IS TRUE and IS FALSE cannot be used in a rule; use COALESCE(..., FALSE)")
        elif isinstance(of, c.Word | c.Constant | c.Number):
            self.refuse(at, "IS NULL of a written value is always false")
        elif isinstance(of, c.TEXT):
            return c.WordTest(of, "missing")
        else:
            return c.IsMissing(cast("c.Numeric | c.Condition", of))
        return None

    def _arithmetic(self, at: Tree[Token], op: str, left: Read, right: Read) -> Read:
        sides = [self._number(at.children[i], side, f"`{op}`") for i, side in ((0, left), (2, right))]
        if sides[0] is None or sides[1] is None:
            return None
        return _folded(op, *sides) or c.Arithmetic(op, sides[0], sides[1])

    def _signed(self, at: Tree[Token], sign: str, of: Read) -> Read:
        number = self._number(at.children[1], of, f"`{sign}`")
        if number is None or sign == "+":
            return number
        return c.Number(-number.value) if isinstance(number, c.Number) else c.Arithmetic("-", _ZERO, number)

    def _case(self, at: Tree[Token], subject: Parsed | None, parts: list[Parsed], depth: int) -> Read:
        whens = [part for part in parts if isinstance(part, Tree) and part.data == "when"]
        of = None if subject is None else self.read(subject, depth + 1)
        has_else = len(parts) > len(whens)
        otherwise: Read = self.read(parts[-1], depth + len(whens)) if has_else else c.Null()
        for place, when in reversed(list(enumerate(whens, 1))):
            condition = self.read(when.children[0], depth + place)
            if subject is not None:
                condition = self._compare(when, "=", of, condition)
            then = self.read(when.children[1], depth + place)
            checked = self._condition(when.children[0], condition, "WHEN")
            otherwise = self._branch(at, checked, then, otherwise)
        return otherwise

    def _branch(self, at: Parsed, when: c.Condition | None, then: Read, otherwise: Read) -> Read:
        if when is None or then is None or otherwise is None:
            return None
        if isinstance(then, c.CONDITION) and isinstance(otherwise, c.CONDITION):
            if isinstance(then, c.Null) and isinstance(otherwise, c.Null):
                return then
            return c.CaseCondition(when, then, otherwise)
        if isinstance(then, c.NUMERIC) and isinstance(otherwise, c.NUMERIC):
            return c.CaseNumber(when, then, otherwise)
        self.refuse(at, "a CASE must give numbers only or conditions only")
        return None

    def _cast(self, at: Tree[Token], of: Read) -> Read:
        if " ".join(str(each).upper() for each in at.children[1:]) not in _DOUBLES:
            self.refuse(at, "CAST cannot be used in a rule; every number is a decimal one already")
            return None
        return self._number(at.children[0], of, "CAST")

    # -- functions ----------------------------------------------------------------------------------

    def _call(self, at: Tree[Token], depth: int) -> Read:
        name, arguments = str(at.children[0]).upper(), at.children[1:]
        if reason := REFUSED_FUNCTIONS.get(name):
            self.refuse(at, reason)
            return None
        if name not in _FUNCTIONS and name not in _OTHERS:
            hint = _nearest(name, [*_FUNCTIONS, *_OTHERS])
            self.refuse(at, f"the function {name} cannot be used in a rule", hint)
            return None
        least, most = _ARGUMENTS.get(name, (1, 1))
        if not least <= len(arguments) <= (most or len(arguments)):
            needed = (
                f"{least} or more" if most is None else f"{least}" if least == most else f"{least} or {most}"
            )
            self.refuse(at, f"{name} needs {needed} in its parentheses, not {len(arguments)}")
            return None
        of = [self.read(each, depth + 1) for each in arguments]
        return None if None in of else self._function(at, name, arguments, of)

    def _function(self, at: Tree[Token], name: str, arguments: Sequence[Parsed], of: list[Read]) -> Read:
        first, second = of[0], of[1] if len(of) > 1 else None
        match name:
            case "ROUND":
                return self._round(at, arguments, of)
            case "MOD":
                sides = [self._number(each, read, name) for each, read in zip(arguments, of, strict=True)]
                return None if sides[0] is None or sides[1] is None else c.Arithmetic("%", sides[0], sides[1])
            case "GREATEST" | "LEAST":
                return self._pick(name, arguments, of)
            case "COALESCE" | "IFNULL":
                return self._coalesce(at, arguments, of)
            case "NULLIF":
                return self._branch(at, self._compare(at, "=", first, second), c.Null(), first)
            case "LOWER" | "UPPER":
                if isinstance(first, c.TEXT):
                    return c.Folded(name == "UPPER", first)
                self.refuse(at, f"{name} expects a word feature, found {_kind(first)}")
                return None
            case "STARTS_WITH" | "ENDS_WITH":
                if isinstance(first, c.TEXT) and isinstance(second, c.Word):
                    test = "starts" if name == "STARTS_WITH" else "ends"
                    return c.WordTest(first, test, (second.value,))
                self.refuse(at, f"{name} compares a word feature with a word in quotes")
                return None
        number = self._number(arguments[0], first, name)
        return None if number is None else c.FunctionCall(_FUNCTIONS[name], number)

    def _round(self, at: Tree[Token], arguments: Sequence[Parsed], of: list[Read]) -> Read:
        number = self._number(arguments[0], of[0], "ROUND")
        decimals = of[1] if len(of) > 1 else _ZERO
        if not (isinstance(decimals, c.Number) and decimals.value in range(MOST_DECIMALS + 1)):
            self.refuse(at, f"ROUND keeps 0 to {MOST_DECIMALS} decimals, written as a whole number")
            return None
        return None if number is None else c.FunctionCall("round", number, int(decimals.value))

    def _pick(self, name: str, arguments: Sequence[Parsed], of: list[Read]) -> Read:
        numbers = [self._number(each, read, name) for each, read in zip(arguments, of, strict=True)]
        return None if None in numbers else c.Pick(name.lower(), tuple(cast(list[c.Numeric], numbers)))

    def _coalesce(self, at: Tree[Token], arguments: Sequence[Parsed], of: list[Read]) -> Read:
        if isinstance(of[0], c.TEXT):
            if len(of) == 2 and isinstance(of[1], c.Word):
                return c.WordOrDefault(of[0], of[1].value)
            self.refuse(at, "COALESCE of a word needs one written word after it")
            return None
        if all(isinstance(each, c.CONDITION) for each in of):
            return c.Coalesce(tuple(cast(list[c.Condition], of)))
        return self._pick("COALESCE", arguments, of)

    # -- types --------------------------------------------------------------------------------------

    def _condition(self, at: Parsed, node: Read, where: str) -> c.Condition | None:
        return cast("c.Condition | None", self._expect(at, node, c.CONDITION, "a condition", where))

    def _number(self, at: Parsed, node: Read, where: str) -> c.Numeric | None:
        return cast("c.Numeric | None", self._expect(at, node, c.NUMERIC, "a number", where))

    def _expect(self, at: Parsed, node: Read, classes: tuple[type, ...], what: str, where: str) -> Read:
        if node is None or isinstance(node, classes):
            return node
        self.refuse(at, f"{where} expects {what}, found {_kind(node)}")
        return None


_SIGNS: Final = ("COMPARISON", "SIGN", "OVER", "LIKE", "STAR")
"""Tokens of operators, which stand for no value."""
_EXACT: Final = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_OPERATORS: Final = {"&": "AND", "|": "OR", "!": "NOT"}
_ZERO: Final = c.Number(0.0)
_ARGUMENTS: Final[dict[str, tuple[int, int | None]]] = {
    "ROUND": (1, 2), "MOD": (2, 2), "NULLIF": (2, 2), "IFNULL": (2, 2), "STARTS_WITH": (2, 2),
    "ENDS_WITH": (2, 2), "GREATEST": (1, None), "LEAST": (1, None), "COALESCE": (1, None),
}  # fmt: skip
"""How many arguments a function takes, at the least and at the most; one where it is not named."""


def _operator_of_sql(text: str) -> str | None:
    """Return what SQL writes for an operator of another language that a text begins with."""
    return next((ours for theirs, ours in _OPERATORS.items() if text.startswith(theirs)), None)


def _not(of: c.Condition | None) -> c.Condition | None:
    return None if of is None else c.Not(of)


def _folded(op: str, left: c.Numeric | None, right: c.Numeric | None) -> c.Number | None:
    """Return what two written numbers give, computed in decimals as SQL does: 0.1 + 0.2 is 0.3."""
    if not (op in _EXACT and isinstance(left, c.Number) and isinstance(right, c.Number)):
        return None
    value = float(_EXACT[op](Decimal(repr(left.value)), Decimal(repr(right.value))))
    return c.Number(value) if math.isfinite(value) else None


def _kind(node: Read) -> str:
    match node:
        case c.NumericFeature(name) | c.WordFeature(name):
            return f"{name} ({'a number' if isinstance(node, c.NumericFeature) else 'a word'})"
        case c.Word(value):
            return f"the word {value!r}"
        case c.Number(value):
            return f"the number {value:g}"
        case c.Folded() | c.WordOrDefault():
            return "a word"
        case _ if isinstance(node, c.NUMERIC):
            return "a number"
    return "a condition"
