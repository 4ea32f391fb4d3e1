"""Every message and topic of the system.

What comes in: nothing. What goes out: typed records (`market`, `signals`, `trading`), their bytes (`codec`), their ids (`ids`),
exact numbers (`exact`) and the table of topics (`topics`). The `.avsc` files in `avro/` are the contract; `avro/released/` keeps
every version that was ever published, and a test holds the current one against them in both directions.
"""
