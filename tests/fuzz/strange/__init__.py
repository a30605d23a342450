"""A fuzzer of our own: small valid files of every kind that a stranger can hand in, damaged by seed, read in workers.

- `kinds`: every kind of input, its seeds and its readers; read this first
- `seeds`: small valid files, made by the package's own writers where it has them
- `mutate`, `trees`, `binary`, `structured`: damage to any bytes, and damage that leaves lengths and checksums right
- `worker`, `pool`: one call in a process with 2 GB, and the process that replaces it after 10 seconds or a crash
- `rounds`, `__main__`: many inputs, findings made smaller and kept, and the table
"""

Files = dict[str, bytes | None]
"""One input: the content of each file by its name, in order, the first the one that is read; None is a folder."""
