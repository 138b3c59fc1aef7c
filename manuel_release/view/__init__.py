"""Models in, screens and documents out; the only importer of rich, and only when something is drawn.

Screens are small frozen dataclasses that rich knows how to draw, so making one costs nothing when JSON was asked for.
"""
