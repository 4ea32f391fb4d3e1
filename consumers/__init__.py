"""Who acts on what the pipeline says: each folder is one consumer and tells in its docstring what comes in and what goes out."""
