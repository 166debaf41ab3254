"""What each command does. Its arguments, flags and help are declared in `lapwing/cli/`."""
