"""HTTP as those see it who answer requests: what a request is, what an answer is, and which routes there are."""
