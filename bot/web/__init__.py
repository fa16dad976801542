"""HTTP: one server with two listeners, that of operators and that which the world may reach."""
