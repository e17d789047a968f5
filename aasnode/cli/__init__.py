"""The command line: one file per command, thin: parse, call one function, print. Knows all below, holds no logic."""
