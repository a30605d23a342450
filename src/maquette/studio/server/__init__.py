"""The studio's local server: the page at 127.0.0.1, with what a browser alone cannot do.

Read `guard` first (who is answered at all), then `app` (the addresses), `work` (what each of them does) and `serve`
(start and end). Bytes come in and numbers go out: no path ever comes from the page.
"""
