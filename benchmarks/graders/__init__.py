"""The graders that the course's own is measured against, each in its own environment and in a jail."""
