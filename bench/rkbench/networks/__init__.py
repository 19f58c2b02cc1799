"""ODEBlock and the networks of the literature, one file per family."""
