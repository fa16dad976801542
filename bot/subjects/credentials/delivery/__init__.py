"""Where a new secret is put: files, commands, stores of clouds; into several at once, or into none."""
