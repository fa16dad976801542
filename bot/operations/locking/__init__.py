"""One operation at a time on one thing: who has what, and who waits in line for it. In the database."""
