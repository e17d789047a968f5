"""The command line: one file per command, thin: parse, call one function, print. Knows everything below, holds no logic."""
