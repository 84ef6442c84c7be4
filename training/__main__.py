"""`python -m training fit|validate|test|predict`."""

from training.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
