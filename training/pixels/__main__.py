"""`python -m training.pixels fit|validate|test`."""

from training.pixels.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
