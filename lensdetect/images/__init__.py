"""Survey images as they come: what each of them is, and what its pixels mean.

Import what is needed from its module; this room imports nothing by itself.
"""
