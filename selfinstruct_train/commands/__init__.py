"""One command per file: read the config, call the library, print."""
