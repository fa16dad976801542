"""Break-glass: what is let run without its approvals, and its review."""
