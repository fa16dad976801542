"""What is said in the conversations of which the golden cards are: a module a subject, and what all share."""
