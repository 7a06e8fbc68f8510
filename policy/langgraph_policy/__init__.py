"""Rules that a stack must keep: plain functions on what a program declares."""
