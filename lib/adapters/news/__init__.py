"""News: RSS and Atom feeds that an operator named, read as strangers' text."""
