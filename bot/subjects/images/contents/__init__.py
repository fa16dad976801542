"""Contents: which packages a version adds, removes and updates, by manifests that are bound to versions by digest."""
