"""What stands in the tables as it is stored, however somebody wrote it there; on SQLite and on PostgreSQL.

SQLite keeps whatever it is given in a column, and the trail is proved to the letter. PostgreSQL keeps nothing of
another type, so there a time has one form.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class stored_time(FunctionElement[str]):  # noqa: N801 - SQL functions have small letters
    """A time as SQLAlchemy stores it in SQLite: in UTC, to the microsecond, with a blank in the middle."""

    type = sa.Text()
    inherit_cache = True


class json_field(FunctionElement[str]):  # noqa: N801
    """A field of JSON text, by its path with dots between; NULL where it has none or is no JSON, which is no reason
    to fail."""

    type = sa.Text()
    inherit_cache = True


class as_in_json(FunctionElement[Any]):  # noqa: N801
    """A number in a column, to be compared with a :class:`json_field`."""

    type = sa.Text()
    inherit_cache = True


class step_number(FunctionElement[int]):  # noqa: N801
    """The number in an action of the trail such as ``step-3:done``."""

    type = sa.Integer()
    inherit_cache = True


class stored_bytes(FunctionElement[bytes]):  # noqa: N801
    """The bytes of a text; none of what is no text."""

    type = sa.LargeBinary()
    inherit_cache = True


_STEP = "step-"


def _arguments(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> list[str]:
    return [compiler.process(each, **kw) for each in element.clauses]


@compiles(stored_time, "sqlite")
@compiles(as_in_json, "sqlite")
def _as_it_is(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    return _arguments(element, compiler, **kw)[0]


@compiles(stored_time, "postgresql")
def _formatted(element: stored_time, compiler: SQLCompiler, **kw: Any) -> str:
    (column,) = _arguments(element, compiler, **kw)
    return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"


@compiles(as_in_json, "postgresql")
def _cast(element: as_in_json, compiler: SQLCompiler, **kw: Any) -> str:
    (column,) = _arguments(element, compiler, **kw)
    return f"CAST({column} AS TEXT)"


@compiles(json_field, "sqlite")
def _extracted(element: json_field, compiler: SQLCompiler, **kw: Any) -> str:
    column, path = _arguments(element, compiler, **kw)
    return f"CASE WHEN json_valid({column}) = 1 THEN json_extract({column}, '$.' || {path}) END"


@compiles(json_field, "postgresql")
def _by_own_function(element: json_field, compiler: SQLCompiler, **kw: Any) -> str:
    column, path = _arguments(element, compiler, **kw)
    return f"json_field({column}, string_to_array({path}, '.'))"


@compiles(step_number, "sqlite")
def _cut(element: step_number, compiler: SQLCompiler, **kw: Any) -> str:
    (action,) = _arguments(element, compiler, **kw)
    return f"CAST(substr({action}, {len(_STEP) + 1}) AS INTEGER)"


@compiles(step_number, "postgresql")
def _matched(element: step_number, compiler: SQLCompiler, **kw: Any) -> str:
    (action,) = _arguments(element, compiler, **kw)
    return f"CAST(substring({action} from '^{_STEP}([0-9]{{1,9}}):') AS INTEGER)"


@compiles(stored_bytes, "sqlite")
def _where_text(element: stored_bytes, compiler: SQLCompiler, **kw: Any) -> str:
    (column,) = _arguments(element, compiler, **kw)
    return f"CASE WHEN typeof({column}) = 'text' THEN CAST({column} AS BLOB) ELSE x'' END"


@compiles(stored_bytes, "postgresql")
def _encoded(element: stored_bytes, compiler: SQLCompiler, **kw: Any) -> str:
    (column,) = _arguments(element, compiler, **kw)
    return f"convert_to({column}, 'UTF8')"
