"""What the expressions of an ARM template say, as far as Slipway works them out. Pure.

Source: “Syntax and expressions in ARM templates”, and the reference of ARM template functions. Calls are written as
Python writes them, with texts in single quotes, so Python's own parser takes an expression apart; nothing is run.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_DEEPEST = 20
_LONGEST = 2000  # characters of an expression


class UnknownExpressionError(ValueError):
    """An expression that Slipway does not work out; the text is the expression's."""


@dataclass(frozen=True)
class Scope:
    """What expressions can name.

    Attributes:
        given: values of parameters, by name in small letters; these are taken as they are.
        defaults: of other parameters.
        variables: as the template has them, by name in small letters.
        group: the id of the resource group that is deployed into.
    """

    given: Mapping[str, Any]
    defaults: Mapping[str, Any]
    variables: Mapping[str, Any]
    group: str

    def value(self, written: object, depth: int = 0) -> Any:
        """What something in a template comes to, everything in it included.

        Raises:
            UnknownExpressionError: it cannot be worked out here.
        """
        if depth > _DEEPEST:
            raise UnknownExpressionError("what is nested too deeply")
        match written:
            case str() if written.startswith("[["):
                return written[1:]
            case str() if written.startswith("[") and written.endswith("]") and len(written) <= _LONGEST:
                return self._expression(written, depth)
            case Mapping():
                return {name: self.value(each, depth + 1) for name, each in written.items()}
            case list():
                return [self.value(each, depth + 1) for each in written]
            case _:
                return written

    def _expression(self, written: str, depth: int) -> Any:
        try:
            return self._node(ast.parse(written[1:-1].strip(), mode="eval").body, depth + 1)
        except (AttributeError, IndexError, KeyError, SyntaxError, TypeError, ValueError) as error:
            raise UnknownExpressionError(written) from error

    def _node(self, node: ast.expr, depth: int) -> Any:
        match node:
            case ast.Constant(value=str() | int() as value):
                return value
            case ast.Attribute(value=inner, attr=name):
                return self._node(inner, depth)[name]
            case ast.Subscript(value=inner, slice=place):
                return self._node(inner, depth)[self._node(place, depth)]
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name.casefold(), [self._node(each, depth) for each in arguments], depth)
            case _:
                raise UnknownExpressionError("")

    def _call(self, name: str, arguments: list[Any], depth: int) -> Any:
        match name, arguments:
            case "parameters", [str() as wanted]:
                name = wanted.casefold()
                return self.given[name] if name in self.given else self.value(self.defaults[name], depth)
            case "variables", [str() as wanted]:
                return self.value(self.variables[wanted.casefold()], depth)
            case "concat", [str(), *_]:
                return "".join(arguments)
            case "format", [str() as pattern, *values]:
                for place, value in enumerate(values):
                    pattern = pattern.replace(f"{{{place}}}", str(value))
                return pattern
            case "resourceid", [str() as kind, *names] if "/" in kind:
                provider, *types = kind.split("/")
                path = "/".join(f"{each}/{called}" for each, called in zip(types, names, strict=True))
                return f"{self.group}/providers/{provider}/{path}"
            case _:
                raise UnknownExpressionError("")
