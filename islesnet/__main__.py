"""`python -m islesnet`: the command where its script is not on the path."""

from islesnet.cli import main

if __name__ == "__main__":
    main()
