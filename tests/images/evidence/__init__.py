"""Evidence about versions."""
