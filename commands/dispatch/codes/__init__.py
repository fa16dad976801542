"""Single-use codes in what people say: asked for, heard before anything is stored, and covered."""
