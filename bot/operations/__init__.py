"""Operations of every kind: plan, approval, run, audit. Knows no subject."""
