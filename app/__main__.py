"""`python -m app` is the command `counterpart`."""

from app.cli import main

if __name__ == "__main__":
    main()
