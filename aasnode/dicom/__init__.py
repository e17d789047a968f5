"""One data set read with care: who, whether, which pixels, how many mm. No network, no database."""
