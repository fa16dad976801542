"""What adapters share: cards as text and made shorter, the queue of edits, and how payloads are read."""
