"""Matrix: voice and ears on matrix-nio. Only this package knows nio."""

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.memory import InMemory, MatrixMemory

__all__ = ["InMemory", "MatrixChat", "MatrixMemory"]
