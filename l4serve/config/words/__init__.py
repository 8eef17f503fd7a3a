"""Forms of single words: amounts, ids, paths, regions, characters, and what a near one was meant to be."""
