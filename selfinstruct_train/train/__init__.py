"""Train models on instruction data.

`mixtures` trains all models of a run and `trainer` one of them, by a `plan`. The rooms: data (rows, encoding, packing),
checks (the doctor, before a training), network (model, attention, loss), saving (the model folder) and verify (the
finished model, from its files). Nothing is generated or evaluated here.
"""
