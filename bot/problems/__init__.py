"""What is wrong and needs a person, as a durable list: `reconciling` has its rules, which are pure."""
