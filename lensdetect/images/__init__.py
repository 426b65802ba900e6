"""Image files as they come: opened, bounded and decoded in one place.

What is proved of a file is read fast; everything else is left to astropy, in a
process that a hostile file may bring down without harm to the run.
"""
