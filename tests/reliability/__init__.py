"""The long harness: the bot as a process that is killed at random, before chats and clouds that fail at random.

``python -m tests.reliability --help`` says how to run it, docs/reliability.md what each invariant stands for.
"""
