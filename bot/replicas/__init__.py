"""Several processes on one PostgreSQL database: all of them hear, one of them works."""
