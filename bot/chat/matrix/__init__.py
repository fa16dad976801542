"""Matrix: voice and ears on matrix-nio. Only this package knows nio."""

from bot.chat.matrix.chat import MatrixChat
from bot.chat.matrix.memory import InMemory, MatrixMemory

__all__ = ["InMemory", "MatrixChat", "MatrixMemory"]
