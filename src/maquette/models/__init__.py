"""All that concerns one trained model. Nothing here trains.

Read `hub` first: what a model is, where it comes from and how it is kept. `predict` asks it about pictures and scans,
`sampling` for images; `prior` says where its latents live and makes shapes of them, from `noise`. What computes the
answers is a `runtime`: `graphs` by ONNX Runtime, `networks` by PyTorch; `facts` is what both know of a system, and
`graph_export` writes the graphs. `views` turns pixels into arrays that models take, and back, `pixels` into tensors;
`card` writes the page that goes with a model.
"""
