"""Graphs: the file that names them, their loading and checking, one execution of one of them."""
