"""The spec as a file that people review: written, brought up to date, and what it might say yet."""
