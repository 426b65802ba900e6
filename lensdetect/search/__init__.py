"""Search a survey: tiles and a catalogue in, a ranked catalogue of candidates out."""
