"""Grading a class: submissions are read, run in a sandbox, judged outside it, and kept in a gradebook."""
