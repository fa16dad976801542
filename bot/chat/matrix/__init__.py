"""Matrix, on matrix-nio: the only package that knows nio. :mod:`slipway.bot.chat.matrix.chat` puts it together."""
