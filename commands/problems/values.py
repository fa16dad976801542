"""How the commands about problems read what is typed."""

from __future__ import annotations

from slipway.bot.problems.model import read_problem_id
from slipway.commands.grammar.values import Value, said_back, without_punctuation


class ProblemIdValue(Value):
    """The id of a problem, ``pb-7k3f``; also without ``pb-``, in capitals, or with punctuation around."""

    name = "problem"
    placeholder = "ID"

    def read(self, text: str) -> str:
        """Read a problem's id, and spell it as the bot does."""
        found = read_problem_id(without_punctuation(text))
        if found is None:
            raise ValueError(f"{said_back(text)} is not the id of a problem; they look like pb-7k3f")
        return found


PROBLEM_ID = ProblemIdValue()
