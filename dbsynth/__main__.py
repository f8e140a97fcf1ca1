"""python -m dbsynth."""

from dbsynth.cli import main

main()
