"""What is measured while the bot works: named here, counted where it happens, and shown by whoever is handed in."""
