"""The subjects: fields of work, each a package that declares itself in its module `subject`."""
