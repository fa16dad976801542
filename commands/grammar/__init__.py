"""How a line is read: repair, words, arguments, and how commands are declared."""
