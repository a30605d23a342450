"""Training: from a recipe to a model, one loop for all systems.

Read `run` first, which goes from the data to the model, then `loop`, then `phases`, the one update that all papers are
made of. `data` and `rows` open and split the data; `batches`, `image_batches`, `inputs` and `augment` make the batch of
a step, a function of (seed, step). `optim`, `ema` and `distributed` are optimisers, moving average and devices;
`checkpoint` and `warm_start` save, resume and begin; `validation` and `monitor` watch; `export` writes the model.
`news` has the events that a run yields.
"""
