"""Adopting: a person's word that a change is right which no operation of ours made. `model` has what is kept."""
