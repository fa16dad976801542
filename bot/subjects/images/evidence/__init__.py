"""Evidence: what speaks for or against a version, whoever found it out."""
