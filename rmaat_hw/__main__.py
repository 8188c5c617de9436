"""``python -m rmaat_hw`` is ``rmaat-hw``."""

from rmaat_hw.cli import main

if __name__ == "__main__":
    main()
