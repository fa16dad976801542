"""Reports that people read in a room: sections that subjects declare, put together. Knows no subject."""
