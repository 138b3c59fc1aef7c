"""The nouns of a release: frozen dataclasses and enums; imports the standard library only."""
