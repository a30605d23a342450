"""`python -m maquette`: the command line, also where its script is not on the path."""

from maquette.cli import main

if __name__ == "__main__":
    main()
