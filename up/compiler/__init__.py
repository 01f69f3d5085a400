"""From looped programs to the weights of a transformer, and from prefix machines to looped programs.

The files in the order in which a program passes through them: `language` (what a program is), `tracing` (a Python
function becomes rules), `validator` (what cannot be compiled, and why), `interpreter` and `vectorised` (what it
computes, exactly), `layout`, `embeddings`, `heads`, `mlp` (each part of the weights), `compile` (the table of
contents), `network` (the `torch.nn.Module`), `checked` (run it, noticing what is undefined), `agreement` (both beside
each other). `cases` lists all example programs. `prefix_program` and `zmap` are about machines that read a program.
"""
