"""All that concerns one trained model. Nothing here trains.

Read `hub` first: what a model is, where it comes from and how it is kept. `predict` asks it about pictures and scans,
`sampling` for images; `prior` says where its latents live and makes shapes of them; `pixels` turns pixels into what
networks take, and back; `card` writes the page that goes with a model.
"""
