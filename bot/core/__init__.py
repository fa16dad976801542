"""What every other part shares: models, steps, errors, times, text."""
