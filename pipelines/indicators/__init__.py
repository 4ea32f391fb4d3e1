"""Incremental indicators: one a file, `update(close)` in constant time, None until the look-back is full.

They are `msgspec` structs, so their state is themselves. Floats are at home here and nowhere else in the pipeline.
"""
