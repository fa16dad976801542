"""Step-up: beside a press, some kinds of operation take a single-use code of whoever presses.

A code is compared where it is heard, before anything of its message is stored. What is stored is that it was right.
"""
