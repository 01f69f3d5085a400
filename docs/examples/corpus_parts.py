"""The parts of a corpus from Python."""

from up.data.corpora import load_corpus, load_parts

parts = load_parts("pydoc")  # or any other name, or the path of a file or folder
for corpus in (parts.training, parts.validation, parts.test):
    print(corpus.name, corpus.size_bytes, corpus.sha256[:12])

validation = load_corpus("pydoc:validation")
print(validation.sha256 == parts.validation.sha256, validation.source)
