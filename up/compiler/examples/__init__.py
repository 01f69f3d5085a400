"""Programs to compile, each in a file of its own; `up.compiler.cases` lists them."""
